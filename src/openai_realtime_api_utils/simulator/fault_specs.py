"""Read faults from a command line: ``latency=0.2``, ``close=response.output_audio.delta:1011``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..errors import SimulatorError
from .fault_injection import Faults


def read_faults(specs: Iterable[str]) -> Faults:
    """Return the faults that a list of ``name=value`` describes.

    Raises:
        SimulatorError: one of them cannot be read; the message has it, and how it is written.
    """
    fields: dict[str, Any] = {}
    for spec in specs:
        name, _, value = spec.partition("=")
        if name not in _SPECS:
            raise SimulatorError(f"There is no fault {name!r}: choose one of {', '.join(_SPECS)}.")
        field, example, read = _SPECS[name]
        try:
            given = read(value)
        except ValueError:
            raise SimulatorError(f"The fault {spec!r} cannot be read: write it like {name}={example}") from None
        if isinstance(given, dict) and isinstance(fields.get(field), dict):
            given = fields[field] | given
        fields[field] = given
    return Faults(**fields)


def _by_direction(value: str) -> float | tuple[float, float]:
    to_client, mark, to_server = value.partition("/")
    return (float(to_client), float(to_server)) if mark else float(value)


def _share(value: str) -> float | dict[str, float]:
    event_type, mark, share = value.rpartition(":")
    return {event_type: float(share)} if mark else float(value)


def _moment_with(number: Callable[[str], float]) -> Callable[[str], tuple[str, float]]:
    def read(value: str) -> tuple[str, float]:
        event_type, mark, rest = value.rpartition(":")
        if not mark:
            raise ValueError(value)
        return event_type, number(rest)

    return read


def _moment(value: str) -> str:
    if not value:
        raise ValueError(value)
    return value


def _responses(value: str) -> str | list[int]:
    return "all" if value == "all" else [int(each) for each in value.split(",")]


_SPECS: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "latency": ("latency_s", "0.2 or latency=0.2/0.05 (to the client/to the server)", _by_direction),
    "jitter": ("jitter_s", "0.1", _by_direction),
    "stall": ("stall", "response.created:3", _moment_with(float)),
    "half-open": ("half_open_at", "response.output_audio.delta#2", _moment),
    "close": ("close_at", "response.output_audio.delta:1011", _moment_with(int)),
    "drop": ("drop", "0.1 or drop=response.done:1", _share),
    "duplicate": ("duplicate", "0.1 or duplicate=response.done:1", _share),
    "reorder": ("reorder", "0.5", float),
    "slow-read": ("slow_read", "0.1", float),
    "refuse": ("refuse_handshake", "503", int),
    "fail-response": ("fail_response", "2 or fail-response=all", _responses),
    "rate-limit": ("rate_limit", "1,3 or rate-limit=all", _responses),
    "start-over": ("start_over", "1 or start-over=all", _responses),
    "connections": ("connections", "1", int),
    "seed": ("seed", "7", int),
}
"""By name: the field, how its value is written, and what reads it."""
