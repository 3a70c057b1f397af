"""Make time an argument: everything that waits, waits on a clock that it was given."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Protocol


class Clock(Protocol):
    """Tell the time and wait for it. Seconds; only differences mean anything."""

    def now(self) -> float:
        """Return the time, never less than before."""
        ...

    async def sleep_until(self, t: float) -> None:
        """Return once ``now() >= t``; at once, but not before other tasks had a turn, if that is so already."""
        ...

    @contextmanager
    def working(self) -> Generator[None]:
        """Keep a clock that jumps from jumping while work outside the event loop is under way."""
        ...


class SystemClock:
    """Be the machine's monotonic clock."""

    now = staticmethod(time.monotonic)  # asked several times for every event, so without a call between

    async def sleep_until(self, t: float) -> None:
        await asyncio.sleep(max(0.0, t - time.monotonic()))

    @contextmanager
    def working(self) -> Generator[None]:
        yield


class ManualClock:
    """Stand still until told to advance, and wake the sleepers in order of time.

    Sleepers wake in the order of their times, and those of one time in the order in which they lay down.
    Use it from one event loop only.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._working = 0

    def now(self) -> float:
        return self._now

    async def sleep_until(self, t: float) -> None:
        if t <= self._now:
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (t, next(self._order), woken))
        await woken

    @contextmanager
    def working(self) -> Generator[None]:
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1

    @property
    def is_held(self) -> bool:
        """Whether work outside the event loop is under way, so that time must not jump over it."""
        return self._working > 0

    def next_wake(self) -> float | None:
        """Return the time of the earliest sleeper that still waits; None if nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)  # its task was cancelled while it slept
        return self._sleepers[0][0] if self._sleepers else None

    def advance(self, seconds: float) -> None:
        """Move time forward and wake everyone whose time has come; they run when the event loop next turns."""
        self.advance_to(self._now + seconds)

    def advance_to(self, t: float) -> None:
        """Move time forward to ``t`` and wake everyone whose time has come.

        Raises:
            ValueError: ``t`` lies in the past.
        """
        if t < self._now:
            raise ValueError(f"A clock cannot go back from {self._now} to {t}.")
        self._now = t
        while (wake := self.next_wake()) is not None and wake <= t:
            heapq.heappop(self._sleepers)[2].set_result(None)
