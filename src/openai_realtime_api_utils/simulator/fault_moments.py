"""Name a point of a session: an event, or the n-th of its type."""

from __future__ import annotations

import difflib
from functools import cache
from typing import Any, get_args

from ..errors import SimulatorError


class Moment:
    """Come about when the n-th event of a type has passed, in either direction.

    ``response.created`` is the first of them; ``response.output_audio.delta#3`` the third.
    """

    def __init__(self, name: str) -> None:
        event_type, mark, number = name.partition("#")
        if mark and not (number.isascii() and number.isdigit() and int(number) >= 1):
            raise SimulatorError(f"{name!r} names no event: after '#' comes which one it is, counted from 1.")
        self._event_type = checked_type(event_type)
        self._left = int(number) if mark else 1

    def has_come(self, event_type: str) -> bool:
        """Count an event; say whether it is the one."""
        if event_type != self._event_type or self._left == 0:
            return False
        self._left -= 1
        return self._left == 0


def checked_type(name: str) -> str:
    """Return the name of an event type.

    Raises:
        SimulatorError: the protocol has no such event; the message names the nearest.
    """
    known = _event_types()
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
    raise SimulatorError(f"There is no event {name!r}: did you mean {near[0]!r}?")


@cache
def _event_types() -> list[str]:
    """Return the types that the installed SDK knows; importing them takes a while."""
    from openai.types import realtime

    unions: list[Any] = [
        realtime.RealtimeServerEvent,
        realtime.RealtimeClientEvent,
        realtime.RealtimeTranslationServerEvent,
        realtime.RealtimeTranslationClientEvent,
    ]
    models: list[Any] = [model for union in unions for model in get_args(get_args(union)[0])]
    return sorted({get_args(model.model_fields["type"].annotation)[0] for model in models})
