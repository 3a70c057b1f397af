"""Put the local listener, mind and voice together into an engine that needs no key and no network."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from ...clock import Clock, SystemClock
from ...errors import MissingExtraError, SimulatorError
from ..engine import Fail, Listening, Thought, Turn
from . import mind
from .chat import ChatEndpoint, ChatMind
from .listener import Listener
from .voice import Voice

if TYPE_CHECKING:
    from ...ports import Samples

T = TypeVar("T")


def local_time() -> datetime:
    """Return the time of day here."""
    return datetime.now(UTC).astimezone()


class LocalEngine:
    """Listen, think and speak on this machine, for one session; ``close`` ends its processes.

    Where the listener cannot be installed it still answers what is typed, and says so; where no voice is, it still
    answers in text.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        grammar: Sequence[str] | str | None = None,
        chat: ChatEndpoint | None = None,
        now: Callable[[], datetime] = local_time,
    ) -> None:
        """Choose the parts; each process starts when it is first needed.

        Args:
            clock: stands still while a part works, if it is one that jumps.
            grammar: the sentences that may be said, or a JSGF grammar; None for general English.
            chat: a chat model to think with, in place of the rules.
            now: tells the time and date of day.
        """
        clock = clock or SystemClock()
        self._now = now
        self._listener = _built(lambda: Listener(clock=clock, grammar=grammar))
        self._voice = _built(lambda: Voice(clock=clock))
        self._chat = None if chat is None else ChatMind(chat, clock=clock)

    def describe(self) -> str:
        """Say in a few sentences what listens, thinks and speaks, and why."""
        if isinstance(self._listener, str):
            listens = f"It cannot listen, so type to it: {self._listener}"
        else:
            listens = f"It listens with pocketsphinx ({self._listener.hears})."
        thinks = f"It thinks {'with ' + self._chat.name if self._chat else 'by a few rules of its own'}."
        if isinstance(self._voice, str):
            speaks = f"It cannot speak, so ask for text: {self._voice}"
        elif self._voice.name == "flite":
            speaks = "It speaks with flite, which is installed here."
        else:
            speaks = "It speaks with espeak-ng, as flite is not installed here."
        return " ".join((listens, thinks, speaks))

    def listen(self) -> Listening:
        return _Deaf(self._listener) if isinstance(self._listener, str) else self._listener.listen()

    def think(self, turn: Turn) -> AsyncIterator[Thought]:
        return self._chat.think(turn) if self._chat else _one_by_one(mind.answer(turn, self._now()))

    async def speak(self, text: str, *, voice: str, speed: float) -> Samples:
        """Return speech for ``text``: int16, mono, at ``engine.RATE``.

        Raises:
            SimulatorError: there is no voice, or it failed.
        """
        if isinstance(self._voice, str):
            raise SimulatorError(self._voice)
        return await self._voice.speak(text, voice=voice, speed=speed)

    async def close(self) -> None:
        async with AsyncExitStack() as parts:
            for part in (self._listener, self._voice, self._chat):
                if part is not None and not isinstance(part, str):
                    parts.push_async_callback(part.close)


class _Deaf:
    """Stand in for a listener that is not installed, and say so."""

    def __init__(self, why: str) -> None:
        self._why = why

    async def hear(self, samples: Samples) -> str:
        del samples
        return ""

    async def finish(self) -> Fail:
        return Fail("listener_missing", self._why)

    async def drop(self) -> None:
        return


def _built(build: Callable[[], T]) -> T | str:
    """Return a part, or the sentence that says why there is none."""
    try:
        return build()
    except MissingExtraError as missing:
        none_yet = "pocketsphinx" in str(missing) and sys.version_info >= (3, 14)
        return (
            f"{missing} (on Python 3.11 to 3.13; there is none for {sys.version_info[0]}.{sys.version_info[1]} yet)."
            if none_yet
            else f"{missing}."
        )


async def _one_by_one(thoughts: Iterable[Thought]) -> AsyncIterator[Thought]:
    for thought in thoughts:
        yield thought
