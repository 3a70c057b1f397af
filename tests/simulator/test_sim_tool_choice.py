"""``tool_choice``: a demanded call comes whatever the engine does, and is a whole one."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.engine import Call, Fail, Say
from openai_realtime_api_utils.simulator.schema_filling import filled
from simulated import Wire, of, only, types, update

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            "days": {"type": "integer", "minimum": 3},
        },
        "required": ["city", "unit"],
    },
}
TIME = {"type": "function", "name": "get_time"}
NAMED = {"type": "function", "name": "get_time"}


def respond(replies, choice, tools=(WEATHER, TIME), **session):
    wire = Wire([replies], model=session.pop("model", "gpt-realtime-2.1"))
    wire.send(update(output_modalities=["text"], tools=list(tools), tool_choice=choice, **session))
    wire.send({"type": "response.create"})
    return only(wire.wait(10), "response.done")["response"]


def calls(response):
    return [(item["name"], json.loads(item["arguments"])) for item in response["output"] if "name" in item]


@pytest.mark.parametrize("replies", ["I would rather talk.", [], ["One.", "Two."]])
def test_required(replies):
    """An engine that calls nothing is made to call the first function, and says nothing instead."""
    response = respond(replies, "required")
    assert calls(response) == [("get_weather", {"city": "city", "unit": "celsius"})]
    assert [item["type"] for item in response["output"]] == ["function_call"]


def test_named_function():
    """The function that is named is called, and no other."""
    response = respond([Call("get_weather", {"city": "Paris"})], NAMED)
    assert calls(response) == [("get_time", {})]


def test_missing_arguments_are_filled_in():
    """What the engine gives is kept, what is required beside is filled in."""
    assert calls(respond([Call("get_weather", {"city": "Paris"})], "required")) == [
        ("get_weather", {"city": "Paris", "unit": "celsius"})
    ]


def test_preamble_is_kept():
    """A 2.x model may say what it is about to do before a call that it has to make."""
    response = respond([Say("Let me see.", "commentary"), Call("get_time")], "required")
    assert [item["type"] for item in response["output"]] == ["message", "function_call"]


def test_none():
    """With ``none`` nothing is called."""
    response = respond([Call("get_time"), "I do not know."], "none")
    assert [item["type"] for item in response["output"]] == ["message"]


def test_required_without_tools():
    """Where there is nothing to call, the model answers."""
    response = respond("Hello.", "required", tools=())
    assert [item["type"] for item in response["output"]] == ["message"]


def test_failure_passes():
    """An engine that fails fails the response, demanded call or not."""
    assert respond([Fail("server_error", "No.")], "required")["status"] == "failed"


@pytest.mark.reported
def test_unknown_function():
    """A choice of what is not among the tools is refused when a response is asked for."""
    wire = Wire()
    wire.send(update(tools=[WEATHER], tool_choice=NAMED))
    (error,) = wire.send({"type": "response.create"})
    assert error["error"]["message"] == "Tool choice 'get_time' not found in 'tools' parameter."


def test_of_one_response():
    """A response's own choice holds for it alone."""
    wire = Wire(["Hello.", "Hello."])
    wire.send(update(output_modalities=["text"], tools=[TIME]))
    wire.send({"type": "response.create", "response": {"tool_choice": "required"}})
    wire.wait(5)
    wire.send({"type": "response.create"})
    wire.wait(5)
    outputs = [e["response"]["output"][0]["type"] for e in of(wire.events, "response.done")]
    assert outputs == ["function_call", "message"]


def test_parallel_calls():
    """Several calls come in one response, item by item."""
    response = respond([Call("get_time"), Call("get_weather", {"city": "Rome"})], "auto")
    assert [name for name, _ in calls(response)] == ["get_time", "get_weather"]


def test_no_parallel_calls():
    """Where calls may not be parallel, only the first is made."""
    response = respond([Call("get_time"), Call("get_weather")], "auto", parallel_tool_calls=False)
    assert [name for name, _ in calls(response)] == ["get_time"]


def test_preamble_interleaves_with_a_call():
    """Of a 2.x model, a call begins before the message before it is done (recorded sessions)."""
    wire = Wire([[Say("Let me see.", "commentary"), Call("get_time", {"zone": "UTC"})]])
    wire.send(update(output_modalities=["text"], tools=[TIME]), {"type": "response.create"})
    order = [(e["type"], e.get("output_index")) for e in wire.wait(5)]
    assert order.index(("response.output_item.added", 1)) < order.index(("response.output_text.done", 0))
    assert types(wire.events)[-2:] == ["response.done", "rate_limits.updated"]


SCHEMAS = {
    "const": ({"const": 5}, 5),
    "default": ({"type": "string", "default": "x"}, "x"),
    "enum": ({"enum": ["a", "b"]}, "a"),
    "examples": ({"type": "string", "examples": ["e"]}, "e"),
    "any of": ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, False),
    "nullable": ({"type": ["integer", "null"]}, 1),
    "null": ({"type": "null"}, None),
    "minimum": ({"type": "number", "minimum": 2.5}, 2.5),
    "above": ({"type": "integer", "exclusiveMinimum": 2}, 3),
    "maximum": ({"type": "integer", "maximum": -4}, -4),
    "array": ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [False, False]),
    "empty array": ({"type": "array"}, []),
    "date": ({"type": "string", "format": "date"}, "2026-01-01"),
    "length": ({"type": "string", "minLength": 5}, "thing"),
    "long": ({"type": "string", "minLength": 7}, "thingxx"),
    "short": ({"type": "string", "maxLength": 2}, "th"),
    "object": ({"properties": {"in": {"type": "boolean"}}, "required": ["in"]}, {"in": False}),
    "reference": ({"$ref": "#/$defs/size"}, "big"),
    "wrong reference": ({"$ref": "#/$defs/none"}, "thing"),
    "anything": (True, None),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_examples(name):
    """A value that is made up fits its schema."""
    schema, expected = SCHEMAS[name]
    root = {"properties": {"thing": schema}, "required": ["thing"], "$defs": {"size": {"const": "big"}}}
    assert filled({}, root) == {"thing": expected}


def test_schema_that_holds_itself():
    """A schema that never ends is followed only so far."""
    node = {"type": "object", "properties": {"next": {"$ref": "#"}}, "required": ["next"]}
    assert json.dumps(filled({}, node)).count("next") <= 8


names = st.text("abc", min_size=1, max_size=3)


@given(st.dictionaries(names, st.integers()), st.sets(names))
def test_filling_keeps_what_is_given(arguments, required):
    """What was given stays as it was, and whatever is required is there."""
    result = filled(arguments, {"required": sorted(required)})
    assert {name: result[name] for name in arguments} == arguments
    assert required <= set(result)


def test_within_what_is_given():
    """Objects that were given are completed too."""
    inner = {"type": "object", "properties": {"b": {"type": "boolean"}}, "required": ["b"]}
    assert filled({"a": {"x": 1}}, {"properties": {"a": inner}, "required": ["a"]}) == {"a": {"x": 1, "b": False}}
