"""Work out a sum that was spoken or typed: "what is six times seven", "(3 + 4) * 2"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import TypeAlias

from .number_words import LIMIT, decimal_words_for, read_number

Part: TypeAlias = "Fraction | str"

_SPOKEN_OPERATORS = {"plus": "+", "minus": "-", "times": "*", "multiplied": "*", "divided": "/"}
_SIGNS = {"\N{MINUS SIGN}": "-", "\N{MULTIPLICATION SIGN}": "*", "x": "*", "\N{DIVISION SIGN}": "/", "over": "/"}
_OPERATORS = {sign: sign for sign in "+-*/"} | _SIGNS | _SPOKEN_OPERATORS
_SPOKEN = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
_HOMOPHONES = {"to": 2, "too": 2, "tree": 3, "for": 4, "fore": 4, "a": 8, "ate": 8, "tan": 10}
"""What the listener writes for a number; believed only beside a spoken operator."""
_MOST_PARTS = 60
"""Whatever is longer is no sum that anybody speaks."""


def calculate(text: str) -> str | None:
    """Return a sentence with the result of the sum in ``text``; None if there is no sum in it."""
    parts = _parts(text)[:_MOST_PARTS]
    longest: tuple[list[Part], Fraction] | None = None
    for start in range(len(parts)):
        try:
            found = _sum(parts, start)
        except ZeroDivisionError:
            return "Nobody can divide by zero."
        if found is None:
            continue
        value, end = found
        taken = parts[start:end]
        if any(part in _SPOKEN for part in taken[1:]) and (longest is None or len(taken) > len(longest[0])):
            longest = taken, value
    if longest is not None:
        return _said(*longest)
    if any(isinstance(number, Fraction) and operator in _SPOKEN for number, operator in pairwise(parts)):
        return "That was a sum, but I did not catch all of its numbers. Please say it again."
    return None


def _said(parts: list[Part], value: Fraction) -> str:
    if abs(value) >= LIMIT or any(isinstance(part, Fraction) and part >= LIMIT for part in parts):
        return "That is too large a number for me."
    result = decimal_words_for(value) if (value * 1000).denominator == 1 else f"about {decimal_words_for(value)}"
    if "(" in parts:
        return f"That is {result}."
    asked = " ".join(_SPOKEN[part] if isinstance(part, str) else decimal_words_for(part) for part in parts)
    return f"{asked[0].upper()}{asked[1:]} is {result}."


def _parts(text: str) -> list[Part]:
    """Return numbers, operators, brackets, and all other words as they are."""
    text = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text.lower())
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    words: list[str] = re.findall(r"\d+(?:\.\d+)?|[^\W\d_]+(?:'[^\W\d_]+)?|[-+*/()\u2212\u00d7\u00f7]", text)
    parts: list[Part] = []
    at = 0
    while at < len(words):
        number = read_number(words, at)
        if number is not None:
            parts.append(number[0])
            at = number[1]
            continue
        word = words[at]
        if word in _HOMOPHONES and _is_beside_operator(words, at):
            parts.append(Fraction(_HOMOPHONES[word]))
        elif not (word == "by" and parts and parts[-1] in _SPOKEN):
            parts.append(_OPERATORS.get(word, word))
        at += 1
    return parts


def _is_beside_operator(words: Sequence[str], at: int) -> bool:
    before = [word for word in words[max(0, at - 2) : at] if word != "by"]
    return any(word in _SPOKEN_OPERATORS for word in (*before[-1:], *words[at + 1 : at + 2]))


def _sum(parts: Sequence[Part], at: int) -> tuple[Fraction, int] | None:
    """Read products joined by plus and minus; return the value and where it ends, or None if there is no number."""
    first = _product(parts, at)
    if first is None:
        return None
    value, end = first
    while end < len(parts) and parts[end] in {"+", "-"} and (more := _product(parts, end + 1)):
        value = value + more[0] if parts[end] == "+" else value - more[0]
        end = more[1]
    return value, end


def _product(parts: Sequence[Part], at: int) -> tuple[Fraction, int] | None:
    first = _operand(parts, at)
    if first is None:
        return None
    value, end = first
    while end < len(parts) and parts[end] in {"*", "/"} and (more := _operand(parts, end + 1)):
        value = value * more[0] if parts[end] == "*" else value / more[0]
        end = more[1]
    return value, end


def _operand(parts: Sequence[Part], at: int) -> tuple[Fraction, int] | None:
    """Read a number, a negative one, or a sum in brackets."""
    if at >= len(parts):
        return None
    part = parts[at]
    if isinstance(part, Fraction):
        return part, at + 1
    if part == "-":
        negated = _operand(parts, at + 1)
        return negated and (-negated[0], negated[1])
    if part == "(":
        inner = _sum(parts, at + 1)
        if inner is not None and parts[inner[1] : inner[1] + 1] == [")"]:
            return inner[0], inner[1] + 1
    return None
