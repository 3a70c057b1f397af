"""Turn numbers into English words and English words into numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import takewhile

# fmt: off
_SMALL = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
# fmt: on
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = {"trillion": 10**12, "billion": 10**9, "million": 10**6, "thousand": 10**3}
_MULTIPLES = {"hundred", *_SCALES}
_VALUES = {word: value for value, word in enumerate(_SMALL)} | {word: 20 + 10 * step for step, word in enumerate(_TENS)}
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}

LIMIT = 10**15
"""Numbers from here on have no words."""


def words_for(number: int) -> str:
    """Return a whole number from zero to below ``LIMIT`` in words."""
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_SMALL[ones]}" if ones else "")
    if number < 1000:
        hundreds, rest = divmod(number, 100)
        return f"{_SMALL[hundreds]} hundred" + (f" and {words_for(rest)}" if rest else "")
    scale, size = next((scale, size) for scale, size in _SCALES.items() if number >= size)
    many, rest = divmod(number, size)
    joint = " and " if rest < 100 else " "
    return f"{words_for(many)} {scale}" + (f"{joint}{words_for(rest)}" if rest else "")


def decimal_words_for(number: Fraction) -> str:
    """Return a number in words, rounded to three decimals."""
    whole, thousandths = divmod(abs(round(number * 1000)), 1000)
    decimals = f"{thousandths:03}".rstrip("0")
    sign = "minus " if number < 0 and (whole or decimals) else ""
    return (
        sign + words_for(whole) + (f" point {' '.join(_SMALL[int(digit)] for digit in decimals)}" if decimals else "")
    )


def ordinal_for(number: int) -> str:
    """Return "first" for 1 and so on, below a hundred."""
    start, dash, last = words_for(number).rpartition("-")
    ending = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return start + dash + ending


def year_for(year: int) -> str:
    """Return a year as it is spoken: "nineteen ninety-nine", "two thousand and five", "twenty twenty-six"."""
    century, rest = divmod(year, 100)
    if not 11 <= century <= 99 or (century % 10 == 0 and rest < 10):
        return words_for(year)
    return f"{words_for(century)} {words_for(rest) if rest >= 10 else f'oh {words_for(rest)}' if rest else 'hundred'}"


def read_number(words: Sequence[str], at: int) -> tuple[Fraction, int] | None:
    """Read the number that begins at ``words[at]``; return it and where it ends, or None if there is none.

    Knows digits ("1,000", "2.5") and words ("one hundred and five", "two point five").
    """
    if re.fullmatch(r"\d+(,\d{3})*(\.\d+)?", words[at], re.ASCII):
        return Fraction(words[at].replace(",", "")), at + 1
    whole, end = _read_whole(words, at)
    if end == at:
        return None
    decimals = ""
    if words[end : end + 1] == ["point"]:
        digits = takewhile(lambda word: _VALUES.get(word, 10) < 10, words[end + 1 :])
        decimals = "".join(str(_VALUES[word]) for word in digits)
    if decimals:
        end += 1 + len(decimals)
    return whole + Fraction(int(decimals or 0), 10 ** len(decimals)), end


def _read_whole(words: Sequence[str], at: int) -> tuple[int, int]:
    """Read a whole number; return it and where it ends, which is ``at`` where none begins."""
    total = group = 0
    below = LIMIT  # "twenty five" is one number, "five twenty" are two: what follows must be smaller than this
    for end, word in enumerate(words[at:], at):
        value = _VALUES.get(word)
        following = words[end + 1] if end + 1 < len(words) else ""
        if value is not None and value < below and (value > 0 or end == at):
            group += value
            below = 10 if value >= 20 else 0
        elif word in {"a", "an"} and end == at and following in _MULTIPLES:
            group, below = 1, 0
        elif word == "hundred" and 0 < group < 100:
            group, below = 100 * group, 100
        elif word in _SCALES and group:
            total, group, below = total + group * _SCALES[word], 0, LIMIT
        elif word != "and" or end == at or words[end - 1] not in _MULTIPLES or following not in _VALUES:
            return total + group, end
    return total + group, len(words)
