"""Check what clients send, piece by piece: small functions that are put together into tables.

A check takes ``(value, path)`` and returns the value, or raises the ``Refusal`` that names the path.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from .refusals import Refusal, missing, out_of_range, unknown, unsupported, wrong_type

Check: TypeAlias = Callable[[Any, str], Any]


def anything(value: Any, path: str) -> Any:
    """Let pass what the simulator accepts and does not look at."""
    return value


def text(value: Any, path: str) -> str:
    """Accept a string."""
    if not isinstance(value, str):
        raise wrong_type(path, value, "a string")
    return value


def boolean(value: Any, path: str) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise wrong_type(path, value, "a boolean")
    return value


def number(low: float, high: float) -> Check:
    """Accept a number within bounds, both included."""

    def check(value: Any, path: str) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise wrong_type(path, value, "a number")
        if not (math.isfinite(value) and low <= value <= high):
            raise out_of_range(path, value, f"a value from {low:g} to {high:g}")
        return value

    return check


def whole_number(low: int, high: int) -> Check:
    """Accept an integer within bounds, both included."""

    def check(value: Any, path: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(path, value, "an integer")
        if not low <= value <= high:
            raise out_of_range(path, value, f"a value from {low} to {high}")
        return value

    return check


def one_of(*supported: str) -> Check:
    """Accept one of these strings."""

    def check(value: Any, path: str) -> str:
        if value not in supported:
            raise unsupported(path, value, supported)
        return cast("str", value)

    return check


@dataclass(frozen=True)
class _OrNull:
    inner: Check

    def __call__(self, value: Any, path: str) -> Any:
        return None if value is None else self.inner(value, path)


def or_null(inner: Check) -> Check:
    """Accept null, which means something here, else whatever ``inner`` accepts."""
    return _OrNull(inner)


def either(constant: str, inner: Check) -> Check:
    """Accept the constant, else whatever ``inner`` accepts."""

    def check(value: Any, path: str) -> Any:
        return value if value == constant else inner(value, path)

    return check


def list_of(inner: Check) -> Check:
    """Accept an array of what ``inner`` accepts."""

    def check(value: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            raise wrong_type(path, value, "an array")
        return [inner(each, f"{path}[{i}]") for i, each in enumerate(cast("list[Any]", value))]

    return check


def mapping(value: Any, path: str) -> dict[str, Any]:
    """Accept an object."""
    if not isinstance(value, dict):
        raise wrong_type(path, value, "an object")
    return cast("dict[str, Any]", value)


def mapping_of(inner: Check) -> Check:
    """Accept an object of whatever ``inner`` accepts, under any names."""

    def check(value: Any, path: str) -> dict[str, Any]:
        return {name: inner(each, f"{path}.{name}") for name, each in mapping(value, path).items()}

    return check


def shape(fields: Mapping[str, Check], *, required: Sequence[str] = ()) -> Check:
    """Accept an object of these fields and no others; the result has them in the table's order.

    Null in a field where it means nothing is as if the field were absent: clients that are in wide use send it.
    """

    def check(value: Any, path: str) -> dict[str, Any]:
        given = mapping(value, path)
        for name in given:
            if name not in fields:
                raise unknown(f"{path}.{name}")
        given = {name: each for name, each in given.items() if each is not None or isinstance(fields[name], _OrNull)}
        for name in required:
            if name not in given:
                raise missing(f"{path}.{name}")
        return {name: fields[name](given[name], f"{path}.{name}") for name in fields if name in given}

    return check


def shape_by(key: str, shapes: Mapping[str, Check], *, default: str | None = None) -> Check:
    """Accept an object whose field ``key`` says which of several shapes it has."""
    kinds = one_of(*shapes)

    def check(value: Any, path: str) -> dict[str, Any]:
        given = mapping(value, path)
        kind = given.get(key, default)
        if kind is None:
            raise missing(f"{path}.{key}")
        return shapes[kinds(kind, f"{path}.{key}")](given, path)

    return check


def metadata(value: Any, path: str) -> dict[str, Any]:
    """Accept at most 16 pairs, keys up to 64 and values up to 512 characters (API reference)."""
    given = mapping(value, path)
    if len(given) > 16:
        raise Refusal(
            f"Invalid '{path}': too many properties. Expected an object with at most 16 properties, "
            f"but got an object with {len(given)} properties instead.",
            code="object_above_max_properties",
            param=path,
        )
    for key, each in given.items():
        _within(key, f"{path}.{key}", 64)
        _within(text(each, f"{path}.{key}"), f"{path}.{key}", 512)
    return given


def _within(value: str, path: str, limit: int) -> None:
    if len(value) > limit:
        raise too_long(path, len(value), limit)


def too_long(path: str, length: int, limit: int) -> Refusal:
    """Report a string that is too long."""
    return Refusal(
        f"Invalid '{path}': string too long. Expected a string with maximum length {limit}, "
        f"but got a string with length {length} instead.",
        code="string_above_max_length",
        param=path,
    )
