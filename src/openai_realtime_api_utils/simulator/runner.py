"""Run a session: carry frames in and events out, and have an engine do what the session asks for."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic_core import to_json

from ..clock import Clock
from ..errors import SimulatorError
from .base_session import BaseSession
from .commands import (
    Close,
    Command,
    Finished,
    For,
    Forget,
    Hear,
    Hush,
    Listen,
    Overheard,
    Play,
    Result,
    Stop,
    Think,
    Thought,
    Understand,
    Understood,
)
from .conversation import joined
from .engine import Call, Engine, Fail, Listening, Say

if TYPE_CHECKING:
    from ..ports import Samples

Incoming: TypeAlias = str | bytes | Callable[[float], object]
"""A frame of the client's, or whatever else is to be done with the session, which is told the time."""

OnCall: TypeAlias = Callable[[For | Play | Hush], Awaitable[None]]

_AHEAD_S = 2.0
"""How far an engine may be ahead of what has been sent: enough to speak the next sentence meanwhile."""

_logger = logging.getLogger(__name__)


async def run(
    session: BaseSession,
    engine: Engine,
    *,
    clock: Clock,
    frames: AsyncIterator[Incoming],
    send: Callable[[str], Awaitable[None]],
    close: Callable[[int, str], Awaitable[None]],
    on_call: OnCall | None = None,
) -> None:
    """Run a session until ``frames`` ends, then close the engine.

    Args:
        session: the session, whose clock is ``clock``.
        engine: what listens, thinks and speaks; a failure of its own fails the response, not the session.
        clock: what everything here waits on.
        frames: what the client sends; bytes are binary frames.
        send: sends the client one text frame. While it waits, nothing more is produced, so nothing piles up.
        close: closes the connection; ``frames`` then ends.
        on_call: carries out what only the session of a call asks for.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            runner = _Runner(session, engine, clock, send, close, on_call, tasks)
            try:
                await runner.read(frames)
            finally:
                runner.stop()
    finally:
        await engine.close()


class _Runner:
    def __init__(
        self,
        session: BaseSession,
        engine: Engine,
        clock: Clock,
        send: Callable[[str], Awaitable[None]],
        close: Callable[[int, str], Awaitable[None]],
        on_call: OnCall | None,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._session = session
        self._engine = engine
        self._clock = clock
        self._send = send
        self._close = close
        self._on_call = on_call
        self._group = tasks
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()
        self._alarm: asyncio.Task[None] | None = None
        self._alarm_at = math.inf
        self._thinking: dict[str, asyncio.Task[None]] = {}
        self._ears: dict[str, _Ear] = {}

    async def read(self, frames: AsyncIterator[Incoming]) -> None:
        await self._pump()
        async for frame in frames:
            if callable(frame):
                frame(self._clock.now())
            else:
                self._session.receive_text(frame, self._clock.now())
            await self._pump()

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _feed(self, result: Result) -> None:
        self._session.feed(result, self._clock.now())
        await self._pump()

    async def _pump(self) -> None:
        """Send and do all that the session has ready; one at a time, so that the order is kept."""
        self._set_alarm()
        async with self._sending:
            while ready := self._session.poll():
                for each in ready:
                    if isinstance(each, dict):
                        await self._send(as_frame(each))
                    else:
                        await self._carry_out(each)
        self._set_alarm()

    def _set_alarm(self) -> None:
        """See to it that somebody wakes up in time; to wake up too early is no harm, and dearer to avoid."""
        due = self._session.deadline()
        if due is None or due >= self._alarm_at:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = due
        self._alarm = self._spawn(self._ring())

    async def _ring(self) -> None:
        while self._alarm_at < math.inf:
            await self._clock.sleep_until(self._alarm_at)
            self._session.advance(self._clock.now())
            await self._pump()  # what is put down meanwhile is never due before now, so that nobody cancels this
            due = self._session.deadline()
            self._alarm_at = math.inf if due is None else due
        self._alarm = None

    async def _carry_out(self, command: Command) -> None:
        match command:
            case Listen():
                self._ears[command.item_id] = ear = _Ear(self._engine, self._feed, command.item_id)
                self._spawn(ear.run())
            case Hear():
                self._ears[command.item_id].hear(command.samples)
            case Understand():
                self._ears.pop(command.item_id).end()
            case Forget():
                ear = self._ears.pop(command.item_id, None)
                if ear is not None:
                    ear.drop()
            case Think():
                task = self._spawn(self._think(command))
                self._thinking[command.response_id] = task
                task.add_done_callback(lambda _: self._thinking.pop(command.response_id, None))
            case Stop():
                task = self._thinking.get(command.response_id)
                if task is not None and task is not asyncio.current_task():  # that one is sending, and sees for itself
                    task.cancel()
            case Close():
                await self._close(command.code, command.reason)
            case For() | Play() | Hush():
                if self._on_call is not None:
                    await self._on_call(command)

    async def _think(self, command: Think) -> None:
        async with aclosing(self._thoughts(command)) as thoughts:
            async for thought, samples in thoughts:
                await self._feed(Thought(command.response_id, thought, samples))
                busy_until = self._session.busy_until(command.response_id)
                if busy_until is None:
                    return  # it was ended meanwhile
                if busy_until - _AHEAD_S > self._clock.now():  # one that talks for ever fills no memory
                    await self._clock.sleep_until(busy_until - _AHEAD_S)
        await self._feed(Finished(command.response_id))

    async def _thoughts(self, command: Think) -> AsyncGenerator[tuple[Say | Call | Fail, Samples | None]]:
        """Yield what the engine thinks, with its speech; a failure of the engine's is the last thought."""
        thoughts = self._engine.think(command.turn)
        try:
            async for thought in thoughts:
                if isinstance(thought, Say) and command.turn.modality == "audio":
                    yield thought, await self._engine.speak(thought.text, voice=command.voice, speed=command.speed)
                else:
                    yield thought, None
        except Exception as error:
            # What a script lacks is told in its one sentence; a bug in an engine needs to be found.
            cause = None if isinstance(error, SimulatorError) else error
            _logger.log(logging.ERROR, "The simulator's engine failed to make a response: %s", error, exc_info=cause)
            yield Fail("server_error", f"The engine failed: {error}"), None
        finally:
            if isinstance(thoughts, AsyncGenerator):
                await thoughts.aclose()


def as_frame(event: dict[str, Any]) -> str:
    """Write an event as JSON. Numbers that JSON does not have, which a script may hold, become null."""
    return to_json(event, inf_nan_mode="null").decode()


class _Ear:
    """Listen to one utterance at the listener's own speed.

    What it cannot take yet waits here as one stretch of sound, which the session's input buffer holds too.
    """

    def __init__(self, engine: Engine, feed: Callable[[Result], Awaitable[None]], item_id: str) -> None:
        self._engine = engine
        self._feed = feed
        self._item_id = item_id
        self._waiting: list[Samples] = []
        self._news = asyncio.Event()
        self._is_over = False
        self._is_dropped = False

    def hear(self, samples: Samples) -> None:
        self._waiting.append(samples)
        self._news.set()

    def end(self) -> None:
        self._is_over = True
        self._news.set()

    def drop(self) -> None:
        self._is_dropped = True
        self._news.set()

    async def run(self) -> None:
        listening: Listening | None = None
        try:
            listening = self._engine.listen()
            transcript: str | Fail | None = await self._listen(listening)
        except Exception as error:
            _logger.exception("The simulator's engine failed to listen.")
            transcript = Fail("server_error", f"The engine failed: {error}")
        if transcript is not None:
            await self._feed(Understood(self._item_id, transcript))

    async def _listen(self, listening: Listening) -> str | Fail | None:
        """Return the transcript; None if nobody wants it any more."""
        while not self._is_dropped:
            if self._waiting:
                samples, self._waiting = joined(self._waiting), []
                text = await listening.hear(samples)
                if text:
                    await self._feed(Overheard(self._item_id, text))
            elif self._is_over:
                return await listening.finish()
            else:
                self._news.clear()
                await self._news.wait()
        await listening.drop()
        return None
