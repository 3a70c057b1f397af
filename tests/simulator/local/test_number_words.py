from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.local.number_words import (
    LIMIT,
    decimal_words_for,
    ordinal_for,
    read_number,
    words_for,
    year_for,
)


@given(st.integers(0, LIMIT - 1))
@example(0)
@example(100)
@example(1_000_001)
def test_a_number_is_read_as_it_was_written(number):
    """Words read back are the number, with nothing left over."""
    words = words_for(number).replace("-", " ").split()
    assert read_number(words, 0) == (number, len(words))


@given(st.integers(0, 10**9), st.integers(0, 999))
def test_decimals_are_read_as_they_were_written(whole, thousandths):
    """Up to three decimals survive."""
    number = whole + Fraction(thousandths, 1000)
    words = decimal_words_for(number).replace("-", " ").split()
    assert read_number(words, 0) == (number, len(words))


@given(
    st.lists(
        st.sampled_from(["one", "twenty", "hundred", "thousand", "and", "a", "point", "zero", "12", "2.5", "20th"])
    )
)
def test_reading_never_fails_and_always_moves_on(words):
    """Whatever the words, a number ends behind its beginning and within them."""
    for at in range(len(words)):
        found = read_number(words, at)
        assert found is None or at < found[1] <= len(words)


@pytest.mark.parametrize(
    ("text", "number", "count"),
    [
        ("twenty five", 25, 2),
        ("five twenty", 5, 1),
        ("one hundred and five", 105, 4),
        ("a hundred", 100, 2),
        ("two thousand and", 2000, 2),
        ("2,500", 2500, 1),
        ("2.5 miles", Fraction(5, 2), 1),
        ("two point five", Fraction(5, 2), 3),
        ("seven point", 7, 1),
    ],
)
def test_numbers_as_people_say_them(text, number, count):
    """The number and how many words it takes."""
    assert read_number(text.split(), 0) == (number, count)


@pytest.mark.parametrize("text", ["story", "a story", "and five", "20th", "hundred", "point five", "\u0665"])
def test_what_is_no_number(text):
    """Other words begin no number."""
    assert read_number(text.split(), 0) is None


@pytest.mark.parametrize(
    ("number", "words"),
    [(Fraction(-1, 3), "minus zero point three three three"), (Fraction(-1, 9999), "zero"), (42, "forty-two")],
)
def test_decimals_are_rounded(number, words):
    """Three decimals are said, and no minus zero."""
    assert decimal_words_for(Fraction(number)) == words


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (1, "first"),
        (3, "third"),
        (8, "eighth"),
        (12, "twelfth"),
        (20, "twentieth"),
        (21, "twenty-first"),
        (30, "thirtieth"),
    ],
)
def test_ordinals(number, word):
    """Days of the month are ordinals."""
    assert ordinal_for(number) == word


@pytest.mark.parametrize(
    ("year", "words"),
    [
        (1900, "nineteen hundred"),
        (1905, "nineteen oh five"),
        (1999, "nineteen ninety-nine"),
        (2000, "two thousand"),
        (2005, "two thousand and five"),
        (2026, "twenty twenty-six"),
        (2100, "twenty-one hundred"),
    ],
)
def test_years(year, words):
    """Years are spoken by centuries."""
    assert year_for(year) == words
