"""Run a session behind a connection that has faults."""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal, NamedTuple, cast

import pybase64
from websockets.frames import CloseCode

from ..audio.formats import format_of
from ..clock import Clock
from .base_session import BaseSession
from .delay_line import DelayLine
from .engine import Engine
from .fault_injection import Faults, is_among
from .fault_moments import Moment
from .faulty_engine import FaultyEngine
from .open_order import MAIN, OpenOrder
from .runner import run
from .sound import Encoder
from .synthetic import voiced

_ROOM = 1024
"""Frames on their way in each direction. When they are that many, whoever sends waits."""
_LATE_S = 0.5
"""How late an event comes at most whose order is open."""
_ECHO_S = 0.5
"""How long the assistant's own voice is taken for the user's: enough for turn detection to notice."""
_SEMANTIC_MS = 8000
"""The longest that semantic turn detection waits (API reference)."""
_TO_CLIENT, _TO_SERVER = 0, 1


class _Event(NamedTuple):
    frame: str
    event: dict[str, Any]


class _Close(NamedTuple):
    code: int
    reason: str


async def run_disturbed(
    session: BaseSession,
    engine: Engine,
    faults: Faults,
    *,
    number: int = 0,
    clock: Clock,
    frames: AsyncIterator[str | bytes],
    send: Callable[[str], Awaitable[None]],
    close: Callable[[int, str], Awaitable[None]],
    freeze: Callable[[], None],
) -> None:
    """Do what ``runner.run`` does, with faults in between; the arguments besides are those of ``disturbed``."""
    faulty = FaultyEngine(engine, faults)
    async with disturbed(
        faults,
        number=number,
        clock=clock,
        frames=frames,
        send=send,
        close=close,
        freeze=freeze,
        on_echo=faulty.start_over,
    ) as link:
        await run(session, faulty, clock=clock, frames=link.frames(), send=link.send, close=link.close)


@asynccontextmanager
async def disturbed(
    faults: Faults,
    *,
    number: int = 0,
    clock: Clock,
    frames: AsyncIterator[str | bytes],
    send: Callable[[str], Awaitable[None]],
    close: Callable[[int, str], Awaitable[None]],
    freeze: Callable[[], None],
    on_echo: Callable[[], None] | None = None,
) -> AsyncGenerator[Link]:
    """Put faults between the two ends of a connection; what is yielded takes the place of the client's end.

    Args:
        faults: what goes wrong.
        number: which connection of the server's this is; each has a run of its own.
        clock: what everything waits on.
        frames: what the client sends.
        send: sends the client one text frame.
        close: closes the connection; 1005 closes without a code, 1006 drops the connection.
        freeze: takes nothing from the client any more, and answers nothing.
        on_echo: is told before a response is taken for the user's voice; without it none is.
    """
    link = Link(faults, number, clock, on_echo, send, close, freeze)
    async with asyncio.TaskGroup() as tasks:
        carrying = [tasks.create_task(link.carry_to_server(frames)), tasks.create_task(link.carry_to_client())]
        try:
            yield link
        finally:
            for task in carrying:
                task.cancel()


class Link:
    """Be a connection that has faults, between a session and its client."""

    def __init__(
        self,
        faults: Faults,
        number: int,
        clock: Clock,
        on_echo: Callable[[], None] | None,
        send: Callable[[str], Awaitable[None]],
        close: Callable[[int, str], Awaitable[None]],
        freeze: Callable[[], None],
    ) -> None:
        self._faults = faults
        self._clock = clock
        self._on_echo = on_echo
        self._send = send
        self._close = close
        self._freeze = freeze
        self._order = OpenOrder()
        self._chance = [random.Random(f"{faults.seed}/{number}/{way}") for way in ("down", "up")]  # noqa: S311
        self._down = DelayLine[_Event | _Close](clock, room=_ROOM)
        self._up = DelayLine[str | bytes](clock, room=1 if faults.slow_read else _ROOM)
        self._stall = Moment(faults.stall[0]) if faults.stall is not None else None
        self._half_open = Moment(faults.half_open_at) if faults.half_open_at is not None else None
        self._end = Moment(faults.close_at[0]) if faults.close_at is not None else None
        self._at_moments = {0: faults.shares_at_moments("drop"), 2: faults.shares_at_moments("duplicate")}
        self._input: dict[str, Any] = {}
        self._responses = 0
        self._is_repeated = False
        self._awaits_sound = False
        self._is_frozen = False

    async def send(self, frame: str) -> None:
        """Take what the session sends."""
        event: dict[str, Any] = json.loads(frame)
        chance = self._chance[_TO_CLIENT]
        lane, after = self._order.lane(event) if self._faults.reorder else (MAIN, ())
        delay = self._delay(_TO_CLIENT)
        if lane != MAIN and chance.random() < self._faults.reorder:
            delay += chance.uniform(0, _LATE_S)
        for _ in range(self._copies(event["type"], _TO_CLIENT)):
            await self._down.put(_Event(frame, event), delay, lane=lane, after=after)

    async def close(self, code: int, reason: str) -> None:
        """Take it that the session closes the connection: after all that it has sent."""
        if self._is_frozen or code == CloseCode.ABNORMAL_CLOSURE:
            await self._close(1006, "")
        else:
            await self._down.put(_Close(code, reason), 0, after=self._down.lanes)

    async def carry_to_server(self, frames: AsyncIterator[str | bytes]) -> None:
        """Carry the client's frames until there are no more."""
        async for frame in frames:
            for _ in range(self._copies(_type_of(frame), _TO_SERVER)):
                await self._up.put(frame, self._delay(_TO_SERVER) + self._faults.slow_read)
        self._up.end()

    async def frames(self) -> AsyncIterator[str | bytes]:
        """Yield what reaches the session."""
        while (frame := await self._up.get()) is not None:
            yield frame
            await self._passed(_type_of(frame))

    async def carry_to_client(self) -> None:
        """Carry what the session sends, for as long as there is a session."""
        while (thing := await self._down.get()) is not None:
            if isinstance(thing, _Close):
                await self._close(thing.code, thing.reason)
            else:
                await self._send(thing.frame)
                self._follow(thing.event)
                await self._passed(thing.event["type"])

    def _delay(self, direction: int) -> float:
        jitter = self._faults.jitter(direction)
        return self._faults.latency(direction) + (self._chance[direction].uniform(0, jitter) if jitter else 0)

    def _copies(self, event_type: str, direction: int) -> int:
        """Return how often an event is delivered."""
        kinds: tuple[tuple[Literal["drop", "duplicate"], int], ...] = (("drop", 0), ("duplicate", 2))
        result = 1
        for kind, copies in kinds:
            come = [share for moment, share in self._at_moments[copies] if moment.has_come(event_type)]
            share = max([self._faults.share(kind, event_type), *come])
            if result == 1 and share and self._chance[direction].random() < share:
                result = copies
        return result

    async def _passed(self, event_type: str) -> None:
        """Do what is to be done once this event has arrived."""
        if self._stall is not None and self._faults.stall is not None and self._stall.has_come(event_type):
            self._hold(self._clock.now() + self._faults.stall[1])
        if self._half_open is not None and self._half_open.has_come(event_type):
            self._is_frozen = True
            self._hold(math.inf)
            self._freeze()
        if self._end is not None and self._faults.close_at is not None and self._end.has_come(event_type):
            await self._close(self._faults.close_at[1], "This was asked for.")

    def _hold(self, until: float) -> None:
        self._down.hold(until)
        self._up.hold(until)

    def _follow(self, event: dict[str, Any]) -> None:
        """See when a response sounds that is to be taken for the user's voice."""
        match event["type"]:
            case "session.created" | "session.updated":
                self._input = event["session"].get("audio", {}).get("input", {})
            case "response.created":
                if self._is_repeated:
                    self._is_repeated = False
                else:
                    self._responses += 1
                    self._awaits_sound = is_among(self._responses, self._faults.start_over)
            case "response.output_audio.delta" if self._awaits_sound:
                self._awaits_sound = False
                self._echo()
            case _:
                pass

    def _echo(self) -> None:
        """Let the session hear a voice, and then the silence that ends a turn; unless nothing would come of it."""
        detection: dict[str, Any] = self._input.get("turn_detection") or {}
        if self._on_echo is None or not (detection.get("interrupt_response") and detection.get("create_response")):
            return
        self._is_repeated = True
        self._on_echo()
        silence_s = detection.get("silence_duration_ms", _SEMANTIC_MS) / 1000 + 0.5
        encoder = Encoder(format_of(self._input["format"]))
        quiet = voiced(silence_s) * 0
        data = encoder.encode(voiced(_ECHO_S)) + encoder.encode(quiet) + encoder.finish()
        audio = pybase64.b64encode(data).decode()
        self._up.put_now(json.dumps({"type": "input_audio_buffer.append", "audio": audio}), 0)


def _type_of(frame: str | bytes) -> str:
    """Return the type of a client's event; ``""`` where it has none."""
    try:
        event: Any = json.loads(frame)
    except (ValueError, RecursionError):
        return ""
    kind: object = cast("dict[str, Any]", event).get("type") if isinstance(event, dict) else None
    return kind if isinstance(kind, str) else ""
