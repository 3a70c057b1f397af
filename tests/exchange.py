"""Be a telephone exchange for simulated sessions: open one after the other, and cut the line at a chosen moment."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from websockets.frames import Close

from openai_realtime_api_utils.simulator import Faults, Settings, connect
from simulated import LoudVad


class Exchange:
    """Open simulated sessions on one engine; ``connect`` is what ``resume`` is given."""

    def __init__(
        self,
        engine: Any,
        clock: Any,
        *,
        cut: Callable[[dict[str, Any]], int | None] | None = None,
        change: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None,
        change_sent: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        faults: Sequence[Faults] = (),
        **settings: Any,
    ):
        """Make an exchange.

        Args:
            engine: thinks in every session.
            clock: the clock of all.
            cut: sees each server event before it is read; a close code cuts the line right there, so that the event
                and all that follow never arrive.
            change: makes another dialect of each server event, or takes it out.
            change_sent: makes of each client event what the simulator understands.
            faults: those of the first connection, of the second, and so on; the rest have none.
            settings: of the simulator.
        """
        self.engine = engine
        self.clock = clock
        self.cut = cut
        self.change = change
        self.change_sent = change_sent
        self.faults = list(faults)
        self.settings = Settings(**settings)
        self.connections: list[Any] = []
        self.received: list[list[dict[str, Any]]] = []
        self.sent: list[list[dict[str, Any]]] = []
        self.refusals: list[Exception] = []
        self.opened: list[float] = []
        self.stalled = 0
        """Set it to the number of a connection, counted from 1, and nothing more comes from that one."""

    @asynccontextmanager
    async def connect(self):
        if self.refusals:
            raise self.refusals.pop(0)
        faults = self.faults.pop(0) if self.faults else None
        received, sent = [], []

        def watch(sender, frame):
            (received if sender == "client" else sent).append(json.loads(frame))

        async with connect(
            self.engine,
            clock=self.clock,
            vad=LoudVad,
            settings=replace(self.settings, seed=self.settings.seed + len(self.opened)),
            watch=watch,
            faults=faults,
        ) as connection:
            self.connections.append(connection)
            self.received.append(received)
            self.sent.append(sent)
            self.opened.append(self.clock.now())
            yield _Cuttable(connection, self, len(self.opened))

    def drop(self, code: int = 1011, reason: str = "") -> None:
        """End the newest connection as its server would."""
        self.connections[-1]._connection._link.end(Close(code, reason), by_client=False)

    def forget(self) -> None:
        """Forget what was received and sent, for very long conversations."""
        for events in (*self.received, *self.sent):
            events.clear()
        del self.connections[:-1], self.received[:-1], self.sent[:-1]

    def received_types(self, session: int = -1) -> list[str]:
        """Return the types of what a session received, without the sound."""
        return [event["type"] for event in self.received[session] if not event["type"].endswith("append")]


class _Cuttable:
    """Be a connection that is cut before the frame that the exchange chooses."""

    def __init__(self, connection: Any, exchange: Exchange, number: int) -> None:
        self._connection = connection
        self._number = number
        self._exchange = exchange

    async def recv_bytes(self) -> bytes:
        while True:
            frame = await self._connection.recv_bytes()
            if self._exchange.change is None:
                break
            event = self._exchange.change(json.loads(frame))
            if event is not None:
                frame = json.dumps(event).encode()
                break
        code = self._exchange.cut(json.loads(frame)) if self._exchange.cut is not None else None
        if self._exchange.stalled == self._number:
            await asyncio.Event().wait()
        if code is not None:
            link = self._connection._connection._link
            link.end(Close(code, ""), by_client=False)
            raise link.error()
        return frame

    async def send_raw(self, data: str) -> None:
        if self._exchange.change_sent is not None:
            data = json.dumps(self._exchange.change_sent(json.loads(data)))
        await self._connection.send_raw(data)

    async def close(self, *, code: int = 1000, reason: str = "") -> None:
        await self._connection.close(code=code, reason=reason)


class Events:
    """Keep the server's events, but for deltas."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.keeps: int | None = None
        self._counts: Counter[str] = Counter()
        self.came = asyncio.Event()

    def server_event_handler(self, event, metadata, _connection):
        if not event.type.endswith(".delta"):
            self.events.append(event)
            self._counts[event.type] += 1
            del self.events[: -self.keeps if self.keeps else 0]
        self.came.set()
        return event, metadata

    def of(self, event_type: str) -> list[Any]:
        return [event for event in self.events if event.type == event_type]

    async def until(self, event_type: str, count: int = 1) -> Any:
        """Return the event of this type that is the count'th, when it has come."""
        while self._counts[event_type] < count:
            self.came.clear()
            await self.came.wait()
        return self.of(event_type)[count - 1 - self._counts[event_type]]

    def count(self, event_type: str) -> int:
        """Return how many events of this type have come."""
        return self._counts[event_type]


def said(item_id: str | None, text: str, role: str = "user") -> dict[str, Any]:
    """Return the event that creates a message."""
    kind = "output_text" if role == "assistant" else "input_text"
    item = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
    return {"type": "conversation.item.create", "item": {**({"id": item_id} if item_id else {}), **item}}


def texts(items: Any) -> list[str]:
    """Return the words of items as a model was given them."""
    return [
        " ".join(part.get("text") or part.get("transcript") or "" for part in item.get("content", ()))
        for item in items
        if item["type"] == "message"
    ]
