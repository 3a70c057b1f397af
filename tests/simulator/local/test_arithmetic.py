import operator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.local.arithmetic import calculate
from openai_realtime_api_utils.simulator.local.number_words import decimal_words_for, words_for

OPERATORS = {"plus": operator.add, "minus": operator.sub, "times": operator.mul}


@given(st.integers(0, 9999), st.sampled_from([*OPERATORS]), st.integers(0, 9999))
def test_two_numbers_in_words(left, spoken, right):
    """The result of any spoken sum of two numbers is right."""
    result = decimal_words_for(Fraction(OPERATORS[spoken](left, right)))
    sentence = f"{words_for(left)} {spoken} {words_for(right)} is {result}."
    assert calculate(f"what is {words_for(left)} {spoken} {words_for(right)}") == sentence.capitalize()


@given(
    st.recursive(st.integers(0, 99).map(str), lambda part: st.tuples(part, st.sampled_from("+-*"), part).map(" ".join))
)
def test_precedence_is_the_usual_one(expression):
    """Typed sums of any length come out as Python has them."""
    value = eval(expression)
    said = calculate(expression)
    if len(expression.split()) > 60 or abs(value) >= 10**15:
        return
    assert said is None if expression.isdigit() else said.endswith(f" is {decimal_words_for(Fraction(value))}.")


@given(st.text("0123456789+-*/(). abx", max_size=200))
def test_nothing_makes_it_fail(text):
    """Any text is a sum, or none."""
    said = calculate(text)
    assert said is None or said.endswith(".")


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("What is six times seven?", "Six times seven is forty-two."),
        ("one is six times seven", "Six times seven is forty-two."),
        ("how much is ten divided by four", "Ten divided by four is two point five."),
        ("ten divided by three", "Ten divided by three is about three point three three three."),
        ("6 \u00d7 7", "Six times seven is forty-two."),
        ("6x7", "Six times seven is forty-two."),
        ("1,000 minus 1", "One thousand minus one is nine hundred and ninety-nine."),
        ("forty-two minus fifty", "Forty-two minus fifty is minus eight."),
        ("two plus three times four", "Two plus three times four is fourteen."),
        ("(2 + 3) * 4", "That is twenty."),
        ("minus three times two", "Minus three times two is minus six."),
        ("eight over two", "Eight divided by two is four."),
        ("seven divided by zero", "Nobody can divide by zero."),
        ("2.5 plus 2.5", "Two point five plus two point five is five."),
        ("999999999999999 * 999999999999999", "That is too large a number for me."),
        ("1 plus 1000000000000000000", "That is too large a number for me."),
    ],
)
def test_sums(asked, answer):
    """Spoken and typed sums are worked out."""
    assert calculate(asked) == answer


@pytest.mark.parametrize(
    "asked", ["what is seven times a", "seven times ate", "what's seven multiplied by eight please"]
)
def test_a_number_written_by_its_sound_is_understood(asked):
    """Beside an operator, "a" and "ate" are eight."""
    assert calculate(asked).endswith("is fifty-six.")


@pytest.mark.parametrize("asked", ["what is seven times well", "seven plus", "what is two divided by heaven"])
def test_half_a_sum_is_asked_for_again(asked):
    """A sum of which a number is missing is not guessed."""
    assert calculate(asked) == "That was a sum, but I did not catch all of its numbers. Please say it again."


@pytest.mark.parametrize(
    "asked",
    ["tell me a story", "two to two", "how many times have I told you", "a - b", "well-known", "", "over and over"],
)
def test_what_is_no_sum(asked):
    """Numbers alone, and words that only look like operators, are no sum."""
    assert calculate(asked) is None
