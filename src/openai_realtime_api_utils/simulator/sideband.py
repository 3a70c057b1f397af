"""Hold what a connection beside a call is sent, so that one that is slow holds up neither the call nor the others."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from websockets.frames import CloseCode

from ..clock import Clock

Send: TypeAlias = Callable[[str], Awaitable[None]]
Close: TypeAlias = Callable[[int, str], Awaitable[None]]

ROOM = 1024
"""Frames that wait for a sideband."""
PATIENCE_S = 1.0
"""How long the call waits for a sideband that has no room left before it drops it: a burst is no reason to."""


class Sideband:
    """Be a connection that watches a call."""

    def __init__(self, clock: Clock, send: Send, close: Close) -> None:
        """Prepare a sideband; ``deliver`` sends it what is put.

        Args:
            clock: what is waited on.
            send: sends it one frame.
            close: closes it; 1006 drops it without a word.
        """
        self._clock = clock
        self._send = send
        self._close = close
        self._frames: deque[str] = deque()
        self._ending: tuple[int, str] | None = None
        self._is_gone = False
        self._news = asyncio.Event()
        self._taken = asyncio.Event()

    async def put(self, frame: str) -> None:
        """Take a frame for it. One that stays too far behind is dropped."""
        if len(self._frames) >= ROOM and not self._is_gone:
            await self._patiently(lambda: len(self._frames) < ROOM)
        if not self._is_gone:
            self._frames.append(frame)
            self._news.set()

    async def end(self, code: int, reason: str) -> None:
        """Close it once it has everything that it was sent."""
        self._ending = (code, reason)
        self._news.set()
        await self._patiently(lambda: self._is_gone)

    def leave(self) -> None:
        """Take it that the connection is over."""
        self._is_gone = True
        self._frames.clear()
        self._news.set()
        self._taken.set()

    async def deliver(self) -> None:
        """Send what was put until the connection is over."""
        while not self._is_gone:
            if self._frames:
                await self._send(self._frames[0])
                if self._frames:  # it may have left meanwhile
                    self._frames.popleft()
                self._taken.set()
            elif self._ending is not None:
                await self._close(*self._ending)
                self.leave()
            else:
                self._news.clear()
                await self._news.wait()

    async def _patiently(self, is_done: Callable[[], bool]) -> None:
        """Wait until it is done; drop the connection if that takes too long."""
        late = asyncio.get_running_loop().create_task(self._clock.sleep_until(self._clock.now() + PATIENCE_S))
        late.add_done_callback(lambda _: self._taken.set())
        while not (is_done() or self._is_gone or late.done()):
            self._taken.clear()
            await self._taken.wait()
        late.cancel()
        if not (is_done() or self._is_gone):
            self.leave()
            await self._close(CloseCode.ABNORMAL_CLOSURE, "")
