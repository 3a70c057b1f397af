"""Be one real connection: opened, read ahead, and closed in a task of its own."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias

from ..clock import Clock
from ..closing import Closing, closed_as
from ..plain_connection import warn_of_plain
from ..state.planting import Planting
from ..state.reading import read_id
from .frames import parsed

Connect: TypeAlias = Callable[[], AbstractAsyncContextManager[Any]]
"""Makes a new connection, entered by ``async with``: ``lambda: client.realtime.connect(model=...)``."""

_logger = logging.getLogger(__name__)

_ROOM = 1_024
"""Frames read ahead. When they are that many, no more are read until some are taken, and the network waits."""


class Line:
    """Hold one connection and what is known of the session behind it."""

    def __init__(self, connect: Connect, news: asyncio.Event, clock: Clock, *, shows_items: bool = False) -> None:
        """Make a line that is not open yet.

        Args:
            connect: makes the connection.
            news: is set when something came, or the connection ended.
            clock: what times go by.
            shows_items: whether the items that are put into the session are news to those who track it.
        """
        self.planting = Planting(shows_items=shows_items)
        self.session: dict[str, Any] | None = None
        """The session as the server last stated it."""
        self.is_announced = False
        """Whether the server said ``session.created``, as it does not on a sideband (recorded sessions)."""
        self.responses: dict[str, dict[str, Any]] = {}
        """The responses that are open, as they were stated, by their id."""
        self.asked_by: dict[str, dict[str, Any] | None] = {}
        """The ``response.create`` that asked for each of them; None where the server began it by itself."""
        self.untranscribed: set[str] = set()
        """The items whose transcript is still on its way."""
        self.updates: deque[str | None] = deque()
        """The event ids of the updates that were sent and not answered, in order."""
        self.native: set[str] = set()
        """The items that were made in this session while the one before it was still speaking."""
        self.absent: frozenset[str] = frozenset()
        """The items of the conversation that the session was not given, as of what the user heard nothing."""
        self.created_frame: bytes | None = None
        """The frame that announced the session, where it was taken while the session was prepared."""
        self.is_closing = False
        """Whether the session was told to come to its end, and says so when it has."""
        self.end: Exception | None = None
        """What ended the connection."""
        self.opened_at = self.heard_at = clock.now()
        """When it was opened, and when the last frame came."""
        self.frames: deque[bytes] = deque()
        self._kept: list[bytes] = []
        self._arrived = asyncio.Event()
        self._connect = connect
        self._news = news
        self._clock = clock
        self._room = asyncio.Event()
        self._is_open = asyncio.Event()
        self._connection: Any = None

    @property
    def session_id(self) -> str | None:
        """The session's id, where it is known."""
        return read_id(self.session, "id")

    @property
    def closing(self) -> Closing | None:
        """How the connection ended; None while it has not, or where its end was no connection's."""
        return None if self.end is None else closed_as(self.end)

    async def run(self) -> None:
        """Open the connection and read from it until it ends."""
        try:
            async with self._connect() as connection:
                self._connection = connection
                warn_of_plain(connection, _logger)
                self.opened_at = self.heard_at = self._clock.now()
                self._is_open.set()
                await self._read(connection)
        except Exception as error:  # noqa: BLE001  (told by ``end``)
            self.end = self.end or error
        finally:
            self._is_open.set()
            self._arrived.set()
            self._news.set()

    async def _read(self, connection: Any) -> None:
        while True:
            try:
                frame = await _frame_from(connection)
            except Exception as error:
                if closed_as(error) is None:
                    raise
                self.end = error
                return
            self.heard_at = self._clock.now()
            self.frames.append(frame)
            self._arrived.set()
            self._news.set()
            while len(self.frames) >= _ROOM:
                self._room.clear()
                await self._room.wait()

    async def opened(self) -> None:
        """Return when the connection is there.

        Raises:
            Exception: what kept it from opening.
        """
        await self._is_open.wait()
        if self._connection is None and self.end is not None:
            raise self.end

    def take(self) -> bytes:
        """Return the next frame of those that came."""
        self._room.set()
        return self.frames.popleft()

    async def arrival(self) -> None:
        """Return when there is a frame, or the connection has ended."""
        while not self.frames and self.end is None:
            self._arrived.clear()
            await self._arrived.wait()

    def answer(self) -> None:
        """Take the next frame as an answer to what the session was given; if it is none, keep it."""
        frame = self.take()
        event = parsed(frame)
        match event.get("type"):
            case "session.created":
                self.session, self.is_announced, self.created_frame = event.get("session"), True, frame
            case "session.updated" if self.updates and self.updates[0] in self.planting.configuring:
                self.updates.popleft()
                self.session = event.get("session")
                self.planting.configured()
            case _:
                if not self.planting.take(event):
                    self._kept.append(frame)

    @property
    def is_full(self) -> bool:
        """Whether as many frames were kept as there is room for: so many are no answers any more."""
        return len(self._kept) >= _ROOM

    def put_back(self) -> None:
        """Let the frames that were no answers come again."""
        self.frames.extendleft(reversed(self._kept))
        self._kept.clear()

    async def send(self, event: dict[str, Any]) -> None:
        """Send an event; what the connection has to say of its end is said by reading."""
        if self.end is not None:
            return
        if event["type"] == "session.update":
            self.updates.append(event.get("event_id"))
        try:
            if hasattr(self._connection, "send_raw"):
                await self._connection.send_raw(json.dumps(event, separators=(",", ":")))
            else:
                await self._connection.send(event)
        except Exception as error:
            if closed_as(error) is None:
                raise

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection."""
        if self._connection is not None and self.end is None:
            await self._connection.close(code=code, reason=reason)

    def give_up(self, error: Exception) -> None:
        """Take the connection for ended, although nobody says so."""
        self.end = self.end or error
        self._news.set()


async def _frame_from(connection: Any) -> bytes:
    if hasattr(connection, "recv_bytes"):
        frame = await connection.recv_bytes()
        return frame.encode() if isinstance(frame, str) else bytes(frame)
    from ..events import encode

    return encode(await connection.recv()).encode()
