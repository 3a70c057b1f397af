"""Keep count of open connections, and of those that have not said yet what they want, so that neither can pile up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from ..clock import Clock
from .front import Answer, Front

MOST_CONNECTIONS = 900
"""Below the 1,024 files that a process may have open by default."""
_HEAD_S = 10.0
"""How long a connection may take to say what it wants."""
_STUCK_S = 30.0
"""How long a client may leave everything unread that it is sent before its connection is dropped."""


class Lobby:
    """Hold the connections of one server, from the first byte on."""

    def __init__(self, clock: Clock, answer: Answer) -> None:
        self._clock = clock
        self._answer = answer
        self._waiting: dict[Front, asyncio.Task[None]] = {}
        self._alarms: set[asyncio.Task[None]] = set()
        self._frozen: set[Incoming] = set()
        self._open = 0
        self._upgraded = 0

    def connection(self, *arguments: Any, **options: Any) -> ServerConnection:
        """Make the connection of ``websockets`` whose first bytes are read here; see its ``create_connection``."""
        return Incoming(self, *arguments, **options)

    def frozen(self, connection: Incoming) -> None:
        """Remember a connection that answers nothing, not even that it is to be closed."""
        self._frozen.add(connection)

    def enter(self, transport: asyncio.Transport, upgrade: Callable[[asyncio.Transport, bytes], None]) -> None:
        """Begin to read a new connection. When there are too many, the oldest that has not spoken makes room."""
        front = Front(transport, upgrade=upgrade, answer=self._answer, on_end=self._left)
        if len(self._waiting) + self._open >= MOST_CONNECTIONS:
            if not self._waiting:
                front.refuse(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections: try again later.")
                return
            next(iter(self._waiting)).abort()
        self._waiting[front] = asyncio.get_running_loop().create_task(self._wait_for(front))

    def opened(self) -> int:
        """Count a connection in; return how many there were before it."""
        self._open += 1
        self._upgraded += 1
        return self._upgraded - 1

    def lost(self, connection: Incoming) -> None:
        self._open -= 1
        self._frozen.discard(connection)

    def after(self, seconds: float, step: Callable[[], None]) -> asyncio.Task[None]:
        """Call ``step`` later, unless the task that is returned is cancelled before."""
        task = asyncio.get_running_loop().create_task(self._later(seconds, step))
        self._alarms.add(task)
        task.add_done_callback(self._alarms.discard)
        return task

    def close(self) -> None:
        """Hang up on whoever has not spoken; the others are ended by the server."""
        for front in list(self._waiting):
            front.abort()
        for connection in list(self._frozen):
            connection.transport.abort()
        for alarm in self._alarms:
            alarm.cancel()

    async def _wait_for(self, front: Front) -> None:
        with self._clock.working():  # bytes on their way are no reason for a clock to jump
            await self._clock.sleep_until(self._clock.now() + _HEAD_S)
        front.refuse(HTTPStatus.REQUEST_TIMEOUT, f"There was no request within {_HEAD_S:g} s.")

    async def _later(self, seconds: float, step: Callable[[], None]) -> None:
        await self._clock.sleep_until(self._clock.now() + seconds)
        step()

    def _left(self, front: Front) -> None:
        alarm = self._waiting.pop(front, None)
        if alarm is not None and alarm is not asyncio.current_task():
            alarm.cancel()


class Incoming(ServerConnection):
    """Be a connection that a ``Front`` reads first, and that is dropped when its client reads nothing."""

    def __init__(self, lobby: Lobby, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._lobby = lobby
        self._stuck: asyncio.Task[None] | None = None
        self.number = 0
        """How many connections came before it that asked to become a WebSocket."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._lobby.enter(cast("asyncio.Transport", transport), self._upgrade)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lobby.lost(self)
        self._calm()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stuck = self._lobby.after(_STUCK_S, self.transport.abort)

    def resume_writing(self) -> None:
        self._calm()
        super().resume_writing()

    def freeze(self) -> None:
        """Take nothing more from the client, and answer nothing."""
        self.transport.pause_reading()
        self._lobby.frozen(self)

    async def end(self, code: int, reason: str) -> None:
        """Close the connection; 1005 closes it without a code, and 1006 drops it without a word."""
        if code == CloseCode.ABNORMAL_CLOSURE:
            self.transport.abort()
        elif code == CloseCode.NO_STATUS_RCVD:
            try:
                async with self.send_context():
                    self.protocol.send_close()
            except ConnectionClosed:
                return
        else:
            await self.close(code, reason)

    def _upgrade(self, transport: asyncio.Transport, received: bytes) -> None:
        self.number = self._lobby.opened()
        transport.set_protocol(self)
        super().connection_made(transport)
        self.data_received(received)

    def _calm(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
