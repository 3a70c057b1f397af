"""Run a program as fast as the machine allows, on a manual clock that jumps whenever everyone waits.

An event loop asks its selector to wait only when it has nothing else to do: that is the moment at which time may
jump to the next sleeper. No guess at how many turns of the loop "settle" a program, so a run is repeatable.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

from ..clock import ManualClock

T = TypeVar("T")

_POLL_S = 0.05
"""How long a selector waits at a time while work is under way elsewhere or nobody sleeps, in seconds of the machine."""


class _JumpingSelector(selectors.BaseSelector):
    """Do what the machine's selector does, but move the clock instead of waiting."""

    def __init__(self, clock: ManualClock) -> None:
        self._real = selectors.DefaultSelector()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        wake = None if self._clock.is_held else self._clock.next_wake()
        if wake is None:
            return self._real.select(_POLL_S if timeout is None else min(timeout, _POLL_S))
        self._clock.advance_to(wake)
        return ready

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


def run(main: Coroutine[Any, Any, T], clock: ManualClock) -> T:
    """Run ``main`` to its end on an event loop of its own, ``clock`` jumping from sleeper to sleeper.

    Work in threads and subprocesses counts as time only while it is wrapped in ``clock.working()``.
    """
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(_JumpingSelector(clock))) as runner:
        return runner.run(main)
