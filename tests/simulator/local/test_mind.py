from dataclasses import replace
from datetime import UTC, datetime

import pytest
from conversations import assistant, call, function, output, spoken, system, turn, user
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.engine import Call, Say
from openai_realtime_api_utils.simulator.local.mind import GREETING, answer
from openai_realtime_api_utils.simulator.local.story import STORY

NOW = datetime(2026, 11, 20, 9, 14, tzinfo=UTC)
WEATHER = function("get_weather", "Tell the weather of a city.", city={"type": "string"})


def said(*items, **options) -> str:
    """Return the whole of what the mind says; a call fails."""
    return "".join(thought.text for thought in answer(turn(*items, **options), NOW))


@pytest.mark.parametrize(
    ("heard", "words"),
    [
        ("what time is it", "It is nine fourteen in the morning."),
        ("can you tell me the time please", "It is nine fourteen in the morning."),
        ("what day is it today", "Today is Friday, the twentieth of November, twenty twenty-six."),
        ("what days and today", "Today is Friday, the twentieth of November, twenty twenty-six."),
        ("what is the day to day", "Today is Friday, the twentieth of November, twenty twenty-six."),
        ("what is six times seven", "Six times seven is forty-two."),
        ("one is seven times a", "Seven times eight is fifty-six."),
        ("who are you", "I am a local stand-in: a few rules on this machine, and no model behind them."),
        ("here are you", "I am a local stand-in: a few rules on this machine, and no model behind them."),
        ("hello here are you", "I am a local stand-in: a few rules on this machine, and no model behind them."),
        ("What can you do?", "I can tell you the time and the date, work out a sum, and tell a long story."),
        ("tell me a long story", STORY[0]),
        ("please tell me a storey", STORY[0]),
        ("what is the whether in paris", "I have no way to look up the weather."),
        ("Will it be sunny tomorrow?", "I have no way to look up the weather."),
        ("thank you", "You are welcome."),
        ("thank you goodbye", "Goodbye, and thank you for talking to me."),
        ("please stop now", "All right, I will stop here."),
        ("Hello!", GREETING[0]),
        ("good morning", GREETING[0]),
    ],
)
def test_it_answers(heard, words):
    """Each rule answers what was said, though the listener writes it only nearly right."""
    assert said(spoken(heard)).startswith(words)


def test_it_greets_where_nobody_has_spoken():
    """A response without any user item is a greeting that says what this is."""
    assert said() == " ".join(GREETING)
    assert "stand-in" in GREETING[0]


def test_a_system_message_is_no_user():
    """Instructions in the conversation are not answered."""
    assert said(system("Greet the user, what time is it")) == " ".join(GREETING)


@pytest.mark.parametrize("heard", ["", None, "..."])
def test_it_asks_back_when_it_heard_no_words(heard):
    """Sound without words is not guessed at."""
    assert said(spoken(heard)) == "I did not understand any words. Could you say it again?"


def test_it_says_what_it_understood_when_it_has_no_answer():
    """What no rule knows is said back, with what it can do instead."""
    words = said(user("Who won the match last night?"))
    assert words.startswith("I understood: Who won the match last night. I have no answer to that. I can tell you")


def test_the_last_thing_said_counts():
    """Earlier questions are not answered again."""
    assert said(user("what time is it"), assistant("It is ten."), user("thank you")) == "You are welcome."


def test_it_does_not_answer_twice():
    """Asked for a response with nothing new to respond to, it waits."""
    assert said(user("tell me a story"), assistant(STORY[0])) == "I am listening."


def test_it_repeats_itself():
    """Asked to, it says the same again."""
    assert said(user("hi"), assistant("Good evening to you."), user("say that again")) == "Good evening to you."


def test_pieces_are_sentences():
    """Each piece is a sentence, so that the first is spoken before the last is thought."""
    story = answer(turn(user("tell me a long story")), NOW)
    assert [thought.text.strip() for thought in story] == [*STORY]


def test_the_story_is_long():
    """There is time to interrupt it: some 15 characters are spoken in a second."""
    assert len(" ".join(STORY)) / 15 > 45


def test_it_calls_the_function_that_knows_the_weather():
    """Where the client offers one, the weather is asked of it."""
    assert answer(turn(spoken("what is the weather in paris"), tools=[WEATHER]), NOW) == [
        Call("get_weather", {"city": "Paris"})
    ]


def test_it_asks_for_what_a_function_needs():
    """An argument that was not said is not invented."""
    words = said(spoken("what is the weather like today"), tools=[WEATHER])
    assert words == "For that I need to know the city. Please say it all again."


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (
            '{"temperature_c": 18, "sky": ["clear", "windy"], "rain": false}',
            "Get weather says: temperature c is 18, sky is clear, windy, rain is no.",
        ),
        ("It is sunny.", "Get weather says: It is sunny."),
        ("18", "Get weather says: 18."),
        ("null", "Get weather says: nothing."),
        ("", "get_weather has answered with nothing."),
    ],
)
def test_it_speaks_what_a_function_answers(result, words):
    """Objects become a sentence; anything else is said as it stands."""
    asked = [user("what is the weather in paris"), call("get_weather"), output(result)]
    assert said(*asked, tools=[WEATHER]) == words


def test_it_speaks_every_output():
    """Parallel calls are answered in one message."""
    asked = [user("weather"), call("a", "1"), call("b", "2"), output("one", "1"), output("two", "2")]
    assert said(*asked) == "A says: one. B says: two."


def test_an_output_is_spoken_once():
    """After the assistant has spoken, the output is old."""
    asked = [user("weather in paris"), call("get_weather"), output("sunny"), assistant("Sunny."), user("thanks")]
    assert said(*asked, tools=[WEATHER]) == "You are welcome."


def test_an_answered_question_calls_nothing_again():
    """A response with nothing new to respond to is no reason to call."""
    asked = [user("weather in paris"), assistant("Sunny.")]
    assert said(*asked, tools=[WEATHER]) == "I am listening."


def test_tool_choice_none_is_kept():
    """No function is called where none may be."""
    assert said(user("weather in paris"), tools=[WEATHER], tool_choice="none").startswith("I have no way")


def test_an_output_is_spoken_even_where_a_call_is_demanded():
    """Else the client and the mind would call for ever."""
    asked = [user("weather in paris"), call("get_weather"), output("sunny")]
    assert said(*asked, tools=[WEATHER], tool_choice="required") == "Get weather says: sunny."


@given(st.text(max_size=80), st.sampled_from(["auto", "none", "required", {"type": "function", "name": "get_weather"}]))
def test_it_always_has_an_answer(text, choice):
    """Whatever is said, it says or calls something, the same each time."""
    asked = turn(user(text), tools=[WEATHER], tool_choice=choice)
    thoughts = answer(asked, NOW)
    assert thoughts
    assert thoughts == answer(asked, NOW)
    assert all(isinstance(thought, Call) or (isinstance(thought, Say) and thought.text) for thought in thoughts)


@pytest.mark.parametrize(
    ("hour", "minute", "words"),
    [
        (0, 0, "twelve o'clock at night"),
        (4, 5, "four oh five at night"),
        (11, 59, "eleven fifty-nine in the morning"),
        (12, 0, "twelve o'clock in the afternoon"),
        (18, 30, "six thirty in the evening"),
        (23, 10, "eleven ten at night"),
    ],
)
def test_the_time_of_day(hour, minute, words):
    """The time is told as it is spoken."""
    now = NOW.replace(hour=hour, minute=minute)
    assert answer(turn(user("what time is it")), now) == [Say(f"It is {words}.")]


def test_it_does_not_pretend_to_translate():
    """In a translation session it says that it cannot, and repeats what it heard."""
    (first, second) = answer(replace(turn(spoken("good morning")), translate_to="es"), NOW)
    assert (first.text, second.text) == ("I cannot translate into es. ", "You said: good morning.")
