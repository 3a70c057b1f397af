from datetime import date

import pytest
from conversations import function, turn

from openai_realtime_api_utils.simulator.engine import Call
from openai_realtime_api_utils.simulator.local.tool_calls import Missing, called_for, place_in

TODAY = date(2026, 11, 20)
STRING = {"type": "string"}


def called(asked: str, *tools, **options):
    return called_for(turn(tools=tools, **options), asked, TODAY)


def test_without_functions_there_is_nothing_to_call():
    """No tools, no call, whatever is demanded."""
    assert called("what is the weather in paris", tool_choice="required") is None


def test_what_nobody_asked_for_is_not_called():
    """A function is called for its words only."""
    assert called("what time is it", function("get_weather")) is None


@pytest.mark.parametrize("name", ["get_weather", "getWeather", "get-current-weather", "weather"])
def test_a_function_is_known_by_its_name(name):
    """Names are read as words, without their verbs."""
    assert called("what is the whether like", function(name)) == Call(name)


def test_the_weather_is_known_by_a_description_too():
    """A function for the weather may have any name."""
    assert called("will it rain tomorrow", function("look_outside", "Gives the forecast.")) == Call("look_outside")


def test_two_words_of_a_description_tell_what_a_function_is_for():
    """One is not enough, for it may stand anywhere; a name that fits is better."""
    lookup = function("lookup", "Find the opening hours of a library.")
    assert [called(asked, lookup) for asked in ("when is the library opening", "where is the library")] == [
        Call("lookup"),
        None,
    ]
    assert called("library opening", lookup, function("get_library_opening")) == Call("get_library_opening")


def test_every_telling_word_must_be_said():
    """Half a name is not enough."""
    tools = [function("turn_on_light")]
    assert [called(asked, *tools) for asked in ("turn on the light", "turn on the radio")] == [
        Call("turn_on_light"),
        None,
    ]


def test_the_more_telling_name_wins():
    """Of two that fit, the more exact one is called."""
    tools = [function("set_light"), function("set_kitchen_light")]
    assert called("kitchen light please", *tools) == Call("set_kitchen_light")


@pytest.mark.parametrize(
    ("name", "rule", "asked", "value"),
    [
        ("location", STRING, "do it in new york tomorrow", "New York"),
        ("unit", {"enum": ["celsius", "fahrenheit"]}, "do it in fahrenheit", "fahrenheit"),
        ("minutes", {"type": "integer"}, "do it for twenty five minutes", 25),
        ("level", {"type": "number"}, "do it at 2.5, please", 2.5),
        ("enabled", {"type": "boolean"}, "do it", True),
        ("enabled", {"type": "boolean"}, "do it off", False),
        ("start_date", STRING, "do it", "2026-11-20"),
        ("day", {"type": "string", "format": "date"}, "do it", "2026-11-20"),
        ("query", STRING, "Do it now!", "Do it now!"),
        ("kind", {"const": "fixed"}, "do it", "fixed"),
    ],
)
def test_arguments_come_from_the_words(name, rule, asked, value):
    """Each argument is filled by its type and its name."""
    assert called(asked, function("it", **{name: rule})) == Call("it", {name: value})


@pytest.mark.parametrize(
    "rule", [{"type": "integer"}, {"enum": ["red", "blue"]}, {"type": "array"}, {"type": ["string", "null"]}]
)
def test_what_was_not_said_is_missing(rule):
    """A required argument is not invented."""
    assert called("do it", function("it", amount=rule)) == Missing("amount")


def test_optional_arguments_are_left_out_but_a_place():
    """What nobody demands is not filled, unless a place was said."""
    tool = function("it", query=STRING, city=STRING)
    tool["parameters"]["required"] = []
    assert called("do it in rome", tool) == Call("it", {"city": "Rome"})


@pytest.mark.parametrize("choice", ["required", {"type": "function", "name": "second"}])
def test_a_demanded_call_is_made_whatever_was_said(choice):
    """Demanded, a function is called, with the least its schema allows."""
    rules = {
        "a": {"type": "integer", "minimum": 3},
        "b": {"enum": ["red"]},
        "c": {"type": "array"},
        "d": {"type": "string", "default": "x"},
        "city": STRING,
        "e": {"type": ["string", "null"]},
    }
    tools = [function("second", **rules)] if choice == "required" else [function("first"), function("second", **rules)]
    arguments = {"a": 3, "b": "red", "c": [], "d": "x", "city": "", "e": ""}
    assert called("", *tools, tool_choice=choice) == Call("second", arguments)


def test_a_demanded_function_that_is_not_there_is_not_called():
    """Nothing else is called in its place."""
    assert called("weather", function("get_weather"), tool_choice={"type": "function", "name": "other"}) is None


def test_a_bare_function_is_called_without_arguments():
    """A function may have no schema at all, and other tools are passed over."""
    tools = [{"type": "mcp", "server_label": "x"}, {"type": "function", "name": "get_weather", "parameters": None}]
    assert called("weather", *tools) == Call("get_weather")


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ("what is the weather in paris", "Paris"),
        ("weather for san francisco today", "San Francisco"),
        ("is it raining in the Netherlands?", "Netherlands"),
        ("weather at Lyon, France", "Lyon"),
        ("what's the weather for tomorrow", None),
        ("weather", None),
    ],
)
def test_places(asked, place):
    """The place is what follows "in", "for", "at" or "near"."""
    assert place_in(asked) == place
