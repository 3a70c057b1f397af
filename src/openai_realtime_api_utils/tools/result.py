"""Write down what a tool returned, for the model to read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from ..errors import ToolError

LONGEST = 20_000
"""How many characters of a result the model is given: some 5,000 tokens, of a context of 32,000 in the smallest
models (API reference)."""


def as_output(value: Any, tool: str) -> str:
    """Return a result as text: text as it stands, anything else as JSON, and of too much the beginning.

    Raises:
        ToolError: it cannot be written as JSON.
    """
    from pydantic_core import PydanticSerializationError, to_json

    if value is None:
        return "Done."
    if isinstance(value, str):
        return bounded(value)
    try:
        return bounded(to_json(value, inf_nan_mode="null").decode())
    except (PydanticSerializationError, ValueError, RecursionError) as cause:
        raise ToolError(
            f"The tool {tool} returned {_kind(value)}, which cannot be written as JSON: return text, numbers, lists, "
            f"dicts, dataclasses or pydantic models.",
            for_model=f"The tool ran, but its result ({_kind(value)}) cannot be shown.",
        ) from cause


def bounded(text: str) -> str:
    """Return the beginning of what is too long, and say that it is only that."""
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}\n[The result has {len(text):,} characters; these were the first {LONGEST:,}.]"


def _kind(value: object) -> str:
    """Name the type at fault, and what holds it."""
    inside: Iterable[object] = ()
    if isinstance(value, dict):
        inside = cast("dict[object, object]", value).values()
    elif isinstance(value, list | tuple | set | frozenset):
        inside = cast("Iterable[object]", value)
    found = next((each for each in inside if not isinstance(each, _PLAIN)), None)
    outer = f"a {type(cast('object', value)).__qualname__}"
    return outer if found is None else f"{outer} that holds a {type(found).__qualname__}"


_PLAIN = (type(None), str, int, float, bool, dict, list, tuple)
