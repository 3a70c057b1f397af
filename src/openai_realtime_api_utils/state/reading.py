"""Read events that may be partial: any field may be missing, null, of another type, or one nobody has heard of.

What is not of the expected type reads as absent. So a malformed event changes less than it meant to; it never raises.

Texts, ids and whole numbers are read several times for every event; each of their functions reads by itself, for a
call costs more than the reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import BaseModel

_MOST = 2**53
"""No number above this is believed: floats hold no more whole numbers, and far above it arithmetic with them fails."""


def read(source: object, name: str) -> Any:
    """Return a field of an SDK object or of a dict; None where it is absent."""
    if isinstance(source, dict):
        return cast("dict[str, Any]", source).get(name)
    return getattr(source, name, None)


def read_text(source: object, name: str) -> str | None:
    """Return a text field; None where it is no text."""
    value: Any = source.get(name) if isinstance(source, dict) else getattr(source, name, None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return value if isinstance(value, str) else None


def read_id(source: object, name: str) -> str | None:
    """Return an id; None where it is no text, or empty."""
    value: Any = source.get(name) if isinstance(source, dict) else getattr(source, name, None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return value if isinstance(value, str) and value else None


def read_int(source: object, name: str) -> int | None:
    """Return a whole number; None where it is none, negative, or beyond belief: indexes, times and counts never are."""
    value: Any = source.get(name) if isinstance(source, dict) else getattr(source, name, None)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return value if type(value) is int and 0 <= value <= _MOST else None  # pyright: ignore[reportUnknownArgumentType]


def read_number(source: object, name: str) -> float | None:
    """Return a number; None where it is none, or beyond belief."""
    value = read(source, name)
    return value if type(value) in (int, float) and abs(value) <= _MOST else None


def read_list(source: object, name: str) -> Sequence[Any]:
    """Return a list; an empty one where there is none."""
    value: object = read(source, name)
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()


def at(source: object, *path: str, default: Any = None) -> Any:
    """Return what stands at a path; ``default`` where the path ends before it."""
    for name in path:
        if not isinstance(source, Mapping) or name not in source:
            return default
        source = cast("Mapping[str, Any]", source)[name]
    return source


def is_null(source: object, name: str) -> bool:
    """Tell whether a field was sent, as null: to the SDK's objects an absent one looks the same."""
    sent = source.model_fields_set if isinstance(source, BaseModel) else source
    return isinstance(sent, dict | set) and name in sent and read(source, name) is None


def plain(value: object) -> Any:
    """Copy what was sent into dicts and lists, under the API's own names; what was not sent stays absent."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_unset=True, by_alias=True, warnings=False)
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in cast("Sequence[Any]", value)]
    return value


def plain_dict(value: object) -> dict[str, Any]:
    """Copy an object into a dict; an empty one where it is no object."""
    copied = plain(value)
    return cast("dict[str, Any]", copied) if isinstance(copied, dict) else {}
