"""Choose one of the client's functions for what was said, and fill in its arguments from the words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from itertools import takewhile
from typing import Any, NamedTuple

from ..engine import Call, Turn
from .context import mapping_of
from .matching import is_like, says, words_of
from .number_words import read_number

# fmt: off
_VERBS = frozenset({
    "get", "set", "do", "run", "find", "fetch", "look", "up", "lookup", "make", "check", "read", "show", "tell",
    "current", "the", "a", "my", "of",
})
"""Words of a function's name that say nothing about what it is for."""
# fmt: on
_LONG = 4
"""How many letters a word of a description has that may tell what a function is for; shorter ones are everywhere."""

_TELLING_WORDS = 2
"""How many such words must be said."""

WEATHER = frozenset({"weather", "forecast", "temperature", "rain", "raining", "sunny"})
_PLACE_NAMES = frozenset({"location", "city", "place", "town", "where"})
_AFTER_PLACE = frozenset({"today", "tomorrow", "tonight", "now", "please", "right", "at", "like", "this", "and", "is"})


class Missing(NamedTuple):
    """Say which argument a function needs that was not said."""

    argument: str


def called_for(turn: Turn, asked: str, today: date) -> Call | Missing | None:
    """Return the call that the words ask for, or that ``tool_choice`` demands; None if there is nothing to call.

    A required argument that was not said is asked for, unless the call is demanded: then it is filled as its schema
    allows.
    """
    tools = [tool for tool in turn.tools if tool.get("type") == "function" and tool.get("name")]
    if turn.tool_choice == "none":
        return None
    named = mapping_of(turn.tool_choice).get("name")
    is_demanded = turn.tool_choice == "required" or named is not None
    heard = words_of(asked)
    best = max(
        (tool for tool in tools if named in {None, tool["name"]}), key=lambda tool: _fitness(tool, heard), default=None
    )
    if best is None or not (is_demanded or _fitness(best, heard)):
        return None
    schema = mapping_of(best.get("parameters"))
    required: Sequence[str] = schema.get("required") or ()
    arguments: dict[str, Any] = {}
    for name, described in mapping_of(schema.get("properties")).items():
        rule = mapping_of(described)
        value = _said(name, rule, asked, today)
        if value is None and name in required:
            if not is_demanded:
                return Missing(name)
            value = _anything(rule)
        if value is not None and (name in required or name in _PLACE_NAMES):
            arguments[name] = value
    return Call(str(best["name"]), arguments)


def _fitness(tool: Mapping[str, Any], heard: Sequence[str]) -> float:
    """Return how well a function fits what was said: by all telling words of its name, or two of its description.

    Weather is asked of whatever is about weather.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(tool["name"]).replace("-", " "))
    telling = [word for word in words_of(spaced) if word not in _VERBS]
    described = words_of(str(tool.get("description") or ""))
    about = {*telling, *described}
    if WEATHER & about and any(is_like(word, topic) for word in heard for topic in WEATHER):
        return 1.0
    if telling and all(any(is_like(word, wanted) for word in heard) for wanted in telling):
        return 1.0 + len(telling) / 10
    told = {word for word in described if len(word) >= _LONG and word not in _VERBS}
    said = sum(any(is_like(word, wanted) for word in heard) for wanted in told)
    return said / 100 if said >= _TELLING_WORDS else 0.0


def _said(name: str, rule: Mapping[str, Any], asked: str, today: date) -> Any:
    """Return the value of an argument as it was said, or None."""
    if "const" in rule:
        return rule["const"]
    heard = words_of(asked)
    if "enum" in rule:
        choices: Sequence[Any] = rule["enum"]
        return next((choice for choice in choices if says(heard, " ".join(words_of(str(choice))))), None)
    match rule.get("type"):
        case "integer":
            number = _number_in(asked)
            return None if number is None else int(number)
        case "number":
            number = _number_in(asked)
            return None if number is None else float(number)
        case "boolean":
            return not {"off", "not", "no", "stop"} & set(heard)
        case "string" if set(words_of(name)) & _PLACE_NAMES:
            return place_in(asked)
        case "string" if "date" in words_of(name) or rule.get("format") == "date":
            return today.isoformat()
        case "string":
            return asked or None
        case _:
            return None


def _number_in(asked: str) -> Fraction | None:
    words = [word.strip(".,!?") for word in asked.lower().split()]
    numbers = (read_number(words, at) for at in range(len(words)))
    return next((found[0] for found in numbers if found), None)


def place_in(asked: str) -> str | None:
    """Return the place of "the weather in Paris tomorrow", with capitals; None if there is none."""
    for found in re.finditer(r"\b(?:in|for|at|near)\s+(?:the\s+)?(?=([^\W\d_][\w' -]*))", asked, re.IGNORECASE):
        words = list(takewhile(lambda word: word.lower() not in _AFTER_PLACE, found[1].split()))
        if words:
            return " ".join(word if word[0].isupper() else word.capitalize() for word in words)
    return None


def _anything(rule: Mapping[str, Any]) -> Any:
    """Return the least that a schema allows."""
    if "default" in rule:
        return rule["default"]
    if rule.get("enum"):
        return rule["enum"][0]
    empty: dict[Any, Any] = {"integer": 0, "number": 0, "boolean": False, "array": [], "object": {}, "null": None}
    kind = rule.get("type")
    return rule.get("minimum", empty.get(kind, "")) if isinstance(kind, str) else ""
