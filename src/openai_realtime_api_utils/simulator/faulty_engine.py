"""Be an engine that fails, or begins anew, where it is told to; else the engine that it was given."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import TYPE_CHECKING, cast

from .engine import Engine, Fail, Listening, Thought, Turn
from .fault_injection import Faults, is_among

if TYPE_CHECKING:
    from ..ports import Samples


class FaultyEngine:
    """Stand before an engine."""

    def __init__(self, engine: Engine, faults: Faults) -> None:
        self._engine = engine
        self._faults = faults
        self._responses = 0
        self._starts_over = False
        self._is_deaf = False
        self._said: list[Thought] = []
        self._rest: AsyncIterator[Thought] | None = None

    def start_over(self) -> None:
        """Hear nothing in the next utterance, which is no utterance, and answer it with the latest answer again."""
        self._is_deaf = self._starts_over = True

    def listen(self) -> Listening:
        if self._is_deaf:
            self._is_deaf = False
            return _Nobody()
        return self._engine.listen()

    async def think(self, turn: Turn) -> AsyncIterator[Thought]:
        if not self._starts_over:
            self._responses += 1
        number = self._responses
        if is_among(number, self._faults.rate_limit):
            yield Fail("rate_limit_exceeded", "Rate limit reached: this was asked for.")
            return
        async for thought in self._again() if self._starts_over else self._anew(turn):
            yield thought
            if is_among(number, self._faults.fail_response):
                yield Fail("server_error", "The server had an error while processing your request: this was asked for.")
                return

    async def speak(self, text: str, *, voice: str, speed: float) -> Samples:
        return await self._engine.speak(text, voice=voice, speed=speed)

    async def close(self) -> None:
        await self._drop_rest()
        await self._engine.close()

    async def _anew(self, turn: Turn) -> AsyncIterator[Thought]:
        if not self._faults.start_over:  # responses may go on beside each other, and none is begun anew
            async for thought in self._engine.think(turn):
                yield thought
            return
        await self._drop_rest()
        self._said = []
        self._rest = self._engine.think(turn)
        async for thought in self._rest:
            self._said.append(thought)
            yield thought

    async def _again(self) -> AsyncIterator[Thought]:
        """Think what was thought already, and go on with what was not when it was cancelled."""
        self._starts_over = False
        for thought in list(self._said):
            yield thought
        if self._rest is not None:
            async for thought in self._rest:
                self._said.append(thought)
                yield thought

    async def _drop_rest(self) -> None:
        rest, self._rest = self._rest, None
        if isinstance(rest, AsyncGenerator):
            await cast("AsyncGenerator[Thought]", rest).aclose()


class _Nobody:
    """Hear nothing."""

    async def hear(self, samples: Samples) -> str:
        return ""

    async def finish(self) -> str | Fail:
        return ""

    async def drop(self) -> None:
        """Nothing is held."""
