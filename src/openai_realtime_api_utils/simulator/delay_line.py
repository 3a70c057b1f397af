"""Let things through later than they came, in several lanes that keep their own order."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from typing import Generic, TypeVar

from ..clock import Clock

T = TypeVar("T")

_MOST_LANES = 64
"""When there are more, those in which nothing is under way are forgotten."""


class DelayLine(Generic[T]):
    """Be one direction of a connection. One task puts things in, one takes them out."""

    def __init__(self, clock: Clock, *, room: int) -> None:
        """Make an empty line.

        Args:
            clock: what times are read from.
            room: how many things may be on their way; whoever puts in more waits.
        """
        self._clock = clock
        self._room = room
        self._order = itertools.count()
        self._under_way: list[tuple[float, int, T]] = []
        self._lanes: dict[str, float] = {}
        self._held_until = -math.inf
        self._is_over = False
        self._news = asyncio.Event()
        self._has_room = asyncio.Event()
        self._sleep: asyncio.Task[None] | None = None

    @property
    def lanes(self) -> tuple[str, ...]:
        """Return the lanes in which something may be under way."""
        return tuple(self._lanes)

    async def put(self, thing: T, delay: float, *, lane: str = "", after: tuple[str, ...] = ()) -> None:
        """Send a thing on its way: behind those of its lane, and behind all that is in the lanes ``after``."""
        while len(self._under_way) >= self._room and not self._is_over:
            self._has_room.clear()
            await self._has_room.wait()
        self.put_now(thing, delay, lane=lane, after=after)

    def put_now(self, thing: T, delay: float, *, lane: str = "", after: tuple[str, ...] = ()) -> None:
        """Send a thing on its way, whether there is room or not."""
        due = max(self._clock.now() + delay, *(self._lanes.get(each, -math.inf) for each in (lane, *after)))
        if len(self._lanes) >= _MOST_LANES:
            self._lanes = {name: last for name, last in self._lanes.items() if last > self._clock.now()}
        self._lanes[lane] = due
        heapq.heappush(self._under_way, (due, next(self._order), thing))
        self._wake()

    def hold(self, until: float) -> None:
        """Let nothing through before ``until``; infinity is for ever."""
        self._held_until = max(self._held_until, until)
        self._wake()

    def end(self) -> None:
        """Say that nothing more will be put in; what is under way need not wait any longer."""
        self._is_over = True
        self._has_room.set()
        self._wake()

    async def get(self) -> T | None:
        """Return the next thing when its time has come; None when there is none and there will be none."""
        while True:
            due = max(self._under_way[0][0], self._held_until) if self._under_way else math.inf
            if due < math.inf and (due <= self._clock.now() or self._is_over):
                self._has_room.set()
                return heapq.heappop(self._under_way)[2]
            if self._is_over:
                return None
            self._news.clear()
            if due == math.inf:
                await self._news.wait()
            else:
                await self._wait_until(due)

    async def _wait_until(self, due: float) -> None:
        """Wait until then, or until there is news."""
        self._sleep = asyncio.get_running_loop().create_task(self._clock.sleep_until(due))
        try:
            await asyncio.wait({self._sleep})
        finally:
            self._sleep.cancel()
            self._sleep = None

    def _wake(self) -> None:
        self._news.set()
        if self._sleep is not None:
            self._sleep.cancel()
