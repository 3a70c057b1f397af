"""A function's signature and docstring become a schema; what a model sends becomes a call."""

import functools
import json
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from openai_realtime_api_utils import Tool, ToolContext, ToolError, tool
from openai_realtime_api_utils.tools.docstring import read_docstring
from openai_realtime_api_utils.tools.tool import as_tools


def call(function, arguments, context=None):
    """Return what the call of a tool comes to."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return tool(function).prepare(text, context)()


def properties(function):
    return tool(function).parameters["properties"]


class Unit(Enum):
    CELSIUS = "c"
    FAHRENHEIT = "f"


@dataclass
class Place:
    city: str
    zone: int = 1


class Trip(BaseModel):
    title: str
    stops: list[Place] = []


def get_weather(city: Annotated[str, Field(min_length=2)], days: int = 3) -> str:
    """Tell the weather.

    It may be wrong.

    Args:
        city: The city's name,
            in English.
        days (int): How far ahead.

    Returns:
        A sentence.
    """
    return f"{city} {days}"


def test_a_definition_is_what_a_session_takes():
    """Name, description without sections, and an object with what is required; no titles, no strictness."""
    assert tool(get_weather).definition == {
        "type": "function",
        "name": "get_weather",
        "description": "Tell the weather.\n\nIt may be wrong.",
        "parameters": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "city": {"type": "string", "minLength": 2, "description": "The city's name, in English."},
                "days": {"type": "integer", "default": 3, "description": "How far ahead."},
            },
            "required": ["city"],
        },
    }


def test_every_kind_of_annotation_has_a_schema_and_is_validated():
    """Enums, dataclasses, models, unions, literals, dates and lists arrive as what they are declared to be."""

    def plan(
        when: datetime,
        day: date,
        unit: Unit,
        place: Place,
        trip: Trip | None = None,
        kind: Literal["a", "b"] = "a",
        tags: dict[str, list[int]] | None = None,
    ):
        return when, day, unit, place, trip, kind, tags

    sent = {
        "when": "2026-01-02T03:04:05",
        "day": "2026-01-02",
        "unit": "f",
        "place": {"city": "Bonn"},
        "trip": {"title": "T", "stops": [{"city": "Ulm", "zone": "2"}]},
        "tags": {"x": [1]},
    }
    assert call(plan, sent) == (
        datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001
        date(2026, 1, 2),
        Unit.FAHRENHEIT,
        Place("Bonn"),
        Trip(title="T", stops=[Place("Ulm", 2)]),
        "a",
        {"x": [1]},
    )
    assert {"title", "stops"} == set(tool(plan).parameters["$defs"]["Trip"]["properties"])


def test_parameters_may_be_named_like_methods_of_a_model():
    """No name is taken: not those of pydantic, and not with an underscore before."""

    def odd(copy: int, schema: str, model_config: int = 1, _private: int = 2, json: Any = None):
        return copy, schema, model_config, _private, json

    assert call(odd, {"copy": 1, "schema": "s", "_private": 5}) == (1, "s", 1, 5, None)


def test_a_field_as_default_counts():
    """``x: int = Field(3, ge=1)`` has the default and the bound, and can be made a tool twice."""

    def f(x: int = Field(3, ge=1, description="own")):
        return x

    assert [properties(f)["x"] for _ in range(2)] == [
        {"type": "integer", "default": 3, "minimum": 1, "description": "own"}
    ] * 2
    assert (call(f, {}), call(f, {"x": 4})) == (3, 4)


def test_a_field_describes_better_than_the_docstring():
    """What the annotation says of a parameter goes before."""

    def f(x: Annotated[int, Field(description="from the field")], y: int):
        """Do.

        Args:
            x: from the docstring
            y: from the docstring
        """

    assert [each["description"] for each in properties(f).values()] == ["from the field", "from the docstring"]


def test_a_default_that_json_cannot_say_is_left_out():
    """It is still the default."""
    nothing = object()

    def f(x: Any = nothing):
        return x is nothing

    assert (properties(f), call(f, {})) == ({"x": {}}, True)


def test_methods_partials_and_objects_are_tools():
    """Anything that can be called; a coroutine function runs on the event loop, whatever it is wrapped in."""

    class Weather:
        """Tell the weather."""

        async def look(self, city: str) -> str:
            """Look."""
            return city

        def __call__(self, city: str) -> str:
            return city

    def add(a: int, b: int) -> int:
        return a + b

    look, called, partial = tool(Weather().look), tool(Weather()), tool(functools.partial(add, 1))
    assert [(each.name, each.is_async) for each in (look, called, partial)] == [
        ("look", True),
        ("Weather", False),
        ("add", False),
    ]
    assert (called.description, partial.prepare('{"b": 2}', None)()) == ("Tell the weather.", 3)
    assert tool(functools.partial(Weather().look, "x")).is_async


def test_positional_and_further_arguments_are_passed():
    """``/`` and ``**more`` work; the latter lets any name in."""

    def f(a, /, b=1, *, c=2, **more):
        return a, b, c, more

    assert call(f, {"a": 0, "c": 5, "d": 6}) == (0, 1, 5, {"d": 6})
    assert tool(f).parameters["additionalProperties"] is True


def test_a_context_is_filled_in_and_not_shown():
    """Under any name, optional or not."""

    def f(x: int, here: ToolContext, maybe: int = 1):
        return here

    def g(context: ToolContext | None = None):
        return context

    assert set(properties(f)) == {"x", "maybe"}
    assert (call(f, {"x": 1}, "context"), call(g, {}, "context")) == ("context", "context")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("{", "Invalid JSON"),
        ("[]", "should be an object"),
        ("", "city: Field required"),
        ('{"city": "P"}', "city: String should have at least 2 characters"),
        ('{"city": "Paris", "days": "soon"}', "days: Input should be a valid integer"),
        ('{"city": "Paris", "dyas": 1}', "dyas: Extra inputs are not permitted"),
    ],
)
def test_wrong_arguments_are_told_one_by_one(arguments, told):
    """The model learns what is wrong with which argument."""
    with pytest.raises(ToolError) as error:
        call(get_weather, arguments)
    assert told in error.value.for_model
    assert "\n" not in error.value.for_model


def test_arguments_may_have_white_space_round_them():
    """As recorded sessions have it; none at all are none."""
    assert call(get_weather, ' {\n"city":"Paris"}\n') == "Paris 3"
    assert call(lambda_named(), "") == 1


def lambda_named():
    return tool(lambda: 1, name="one")


def takes_unknown(x: "Unknown"): ...  # noqa: F821


class NoSchema: ...


def takes_object(x: NoSchema): ...


def takes_many(*numbers: int): ...


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (3, "cannot be called"),
        (lambda: 1, "named '<lambda>'"),
        (takes_many, r"takes \*numbers"),
        (takes_unknown, "'Unknown' is not defined"),
        (takes_object, "NoSchema"),
        (max, "signature is not known"),
    ],
)
def test_what_cannot_be_a_tool_says_why(function, why):
    """Where it is made, not when it is called."""
    with pytest.raises(ToolError, match=why):
        tool(function)


def test_two_tools_of_one_name_are_refused():
    """And told how to mend it."""
    with pytest.raises(ToolError, match="two tools named get_weather"):
        as_tools([get_weather, tool(get_weather)])


def test_a_tool_is_made_anew_with_other_options():
    """What is not given stays; a decorated function can still be called."""
    slow = tool(tool(get_weather, timeout_s=5, name="w"), background=True)
    assert (slow.name, slow.timeout_s, slow.background, slow("Rome")) == ("w", 5, True, "Rome 3")


def test_a_tool_that_is_no_function_cannot_be_called():
    """One of an MCP server, say."""
    with pytest.raises(ToolError, match="only a model"):
        Tool("x", "", {}, lambda _a, _c: lambda: None, is_async=True)()


@pytest.mark.parametrize(
    "docstring",
    [
        "Do it.\n\nArgs:\n    x: The x.\n    y (int): The\n        y.\n\nRaises:\n    E: never",
        "Do it.\n\n:param x: The x.\n:param int y: The y.\n:returns: z",
        "Do it.\n\nParameters\n----------\nx : int\n    The x.\ny\n    The y.\n\nReturns\n-------\nint\n    z",
    ],
    ids=["google", "sphinx", "numpy"],
)
def test_docstrings_are_read_in_three_ways(docstring):
    """Description and parameters; no sections that say what comes back."""
    assert read_docstring(docstring) == ("Do it.", {"x": "The x.", "y": "The y."})


@given(st.text())
def test_no_docstring_breaks_anything(docstring):
    """Whatever is written there."""
    description, parameters = read_docstring(docstring)
    assert isinstance(description, str)
    assert all(isinstance(each, str) for each in parameters.values())
