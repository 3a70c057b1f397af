"""Stand in for a connection where a test needs to hold both of its ends."""

import asyncio
import json
from contextlib import asynccontextmanager
from typing import Any

from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK
from websockets.frames import Close


def closed_by_server(code: int, reason: str = "") -> Exception:
    """Return what the websockets library raises after the server's close, echoed by us."""
    close = Close(code, reason)
    kind = ConnectionClosedOK if code in (1000, 1001) else ConnectionClosedError
    return kind(close, close, rcvd_then_sent=True)


def closed_by_us(code: int = 1000) -> Exception:
    """Return what the websockets library raises after our own close, echoed by the server."""
    close = Close(code, "")
    return ConnectionClosedOK(close, close, rcvd_then_sent=False)


class FakeConnection:
    """Deliver what is put into it, keep what is sent through it, and end with the exception put last."""

    def __init__(self, *frames: dict[str, Any] | bytes | Exception) -> None:
        self.inbox: asyncio.Queue[dict[str, Any] | bytes | Exception] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self.closed: Exception | None = None
        for frame in frames:
            self.inbox.put_nowait(frame)

    async def recv_bytes(self) -> bytes:
        frame = await self.inbox.get()
        if isinstance(frame, Exception):
            self.closed = frame
            self.inbox.put_nowait(frame)
            raise frame
        return frame if isinstance(frame, bytes) else json.dumps(frame).encode()

    async def send_raw(self, data: str) -> None:
        if self.closed is not None:
            raise self.closed
        self.sent.append(json.loads(data))

    async def close(self, *, code: int = 1000, reason: str = "") -> None:
        self.inbox.put_nowait(closed_by_us(code))


class Service:
    """Be a service of connections that answer by hand."""

    def __init__(self, *first):
        self.connections = []
        self.first = first

    @asynccontextmanager
    async def connect(self):
        connection = FakeConnection(*self.first)
        self.connections.append(connection)
        yield connection

    def answer(self, **event):
        self.connections[-1].inbox.put_nowait(event)
