"""Be a connection that outlives its connections."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from websockets.exceptions import ConnectionClosedOK
from websockets.frames import Close

from ..errors import ConnectionLost
from ..state.reading import at
from ..state.restore import Restored
from .frames import frame_type, parsed
from .gap import Gap
from .incoming import taken
from .losses import drained, is_drained, lost
from .outgoing import flush, send_now, waits
from .priming import prime
from .sessions import Sessions


class Socket:
    """Have ``recv``, ``send`` and ``close`` like a WebSocket, over one session after the other.

    Everything that a server sends is handed out before anything is done about the end of its connection, so that the
    conversation that was injected knows all there is to know.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def recv(self, decode: bool | None = None) -> Any:
        frame = await self._next()
        return frame if decode is False else frame.decode()

    async def send(self, data: str | bytes) -> None:
        event = parsed(data)
        if self._sessions.end is not None:
            raise self._sessions.end
        if "type" not in event:
            raise ValueError("A client event is a JSON object with a 'type'.")
        if self._sessions.gap is not None:
            self._sessions.gap.put(event)
        elif self._sessions.draining is not None and waits(event):
            self._sessions.held.append(event)
        else:
            await send_now(self._sessions, event)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._sessions.end is None:
            ours = Close(code, reason)
            self._sessions.end = ConnectionClosedOK(ours, ours, rcvd_then_sent=False)
            self._sessions.news.set()
            await self._sessions.line.close(code, reason)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Open the first connection; leaving the block closes all there are.

        Raises:
            Exception: what kept the first connection from opening; it is not tried again.
        """
        try:
            await self._begin()
            yield
        finally:
            self._sessions.end = self._sessions.end or ConnectionLost(1000, "the connection was left")
            await self._sessions.write_down()
            await self._sessions.journal.close()
            await self._sessions.end_tasks()

    async def _begin(self) -> None:
        stored = await self._sessions.journal.load()
        self._sessions.line = await self._sessions.open_line(shows_items=stored is not None)
        if stored is None:
            return
        self._sessions.stored_config = dict(stored.config)
        gap = self._sessions.gap = Gap(None, began_at=self._sessions.clock.now())
        items = [Restored(param) for param in stored.items]
        left_out = self._sessions.selection.leave_out(items)
        await prime(self._sessions.line, stored.config, items[left_out:], self._sessions.clock)
        if self._sessions.line.created_frame is not None:
            self._sessions.was_announced = True
            self._sessions.ready.append(self._sessions.line.created_frame)
        self._sessions.line.put_back()
        self._sessions.tell_replaced("continued", stored.session_id, gap)
        if stored.is_owed and at(stored.config, "type", default="realtime") == "realtime":
            gap.again = {"type": "response.create"}
        self._sessions.spawn(flush(self._sessions, self._sessions.line, gap), "send what waited")

    async def _next(self) -> bytes:
        while True:
            await self._sessions.write_down()
            frame = self._sessions.ready.popleft() if self._sessions.ready else self._take_frame()
            if frame is not None:
                if self._sessions.journal.concerns(frame_type(frame)):
                    self._sessions.journal.note(parsed(frame))
                return frame
            if self._sessions.ready or self._take_ends():
                continue
            self._sessions.news.clear()
            if self._has_news():
                continue
            self._sessions.idle.set()
            try:
                await self._sessions.news.wait()
            finally:
                self._sessions.idle.clear()

    def _has_news(self) -> bool:
        is_lost = self._sessions.line.end is not None and not self._sessions.is_between
        old = self._sessions.draining
        has_old = old is not None and bool(old.frames or is_drained(old))
        return bool(self._sessions.ready or self._sessions.end or self._sessions.line.frames or is_lost or has_old)

    def _take_frame(self) -> bytes | None:
        """Return the next frame that is for the handlers; None where there is none now."""
        for line in (self._sessions.draining, self._sessions.line):
            while line is not None and line.frames:
                frame = taken(self._sessions, line, line.take())
                if frame is not None:
                    return frame
                if self._sessions.ready:
                    return None
        return None

    def _take_ends(self) -> bool:
        """Do what the ends of connections call for, now that all that came has been handled."""
        old = self._sessions.draining
        if old is not None and is_drained(old):
            drained(self._sessions, old)
            return True
        if self._sessions.end is not None:
            raise self._sessions.end
        if self._sessions.line.end is not None and not self._sessions.is_between:
            lost(self._sessions, self._sessions.line, self._sessions.line.end)
            return True
        return False
