"""Be an engine that does what a script says: the same words and the same sound every time.

It cannot listen, so the script says what was heard; it does not think, so the script says what is answered; and it
speaks in a synthetic voice that no person would understand, but that turn detection takes for one.
"""

from __future__ import annotations

import inspect
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ..clock import Clock, SystemClock
from ..errors import SimulatorError
from .engine import RATE, Call, Fail, Listening, Say, Thought, Turn
from .synthetic import synthetic_speech
from .tokens import tokens

if TYPE_CHECKING:
    from ..ports import Samples


@dataclass(frozen=True)
class Wait:
    """Let time pass before what comes next."""

    seconds: float


Piece: TypeAlias = Say | Call | Fail | Wait

Answer: TypeAlias = str | Piece | Sequence[str | Piece]
"""What a response holds: text is said, a ``Call`` calls, a ``Fail`` fails; several of them come in order."""

Reply: TypeAlias = Answer | Callable[[Turn], Answer | Awaitable[Answer]]
"""An answer, or what makes one from all that a model is given."""

Replies: TypeAlias = Sequence[Reply] | Mapping[str, Reply]
"""One reply for each response, in order; or a reply for each pattern, searched for in what came last."""

_TURNS_KEPT = 100
"""Each holds the whole conversation so far; all of them would fill the memory in an hour."""

_WORDS_PER_S = 3
"""How fast words of a scripted utterance are understood while it goes on."""


class ScriptedEngine:
    """Answer from a script.

    ::

        ScriptedEngine(replies=["Hello!", [Call("get_weather", {"city": "Paris"})], "It rains in Paris."])
        ScriptedEngine(replies={"weather": "It rains.", "": "I do not know."}, hears=["what is the weather"])

    A script that has no reply fails the response, with a message that says so.
    """

    def __init__(self, replies: Replies = (), hears: Iterable[str | Fail] = (), *, clock: Clock | None = None) -> None:
        """Make an engine for one session.

        Args:
            replies: a sequence, used up one by one; or a mapping from patterns (regular expressions, case ignored),
                of which the first that is found in the latest item's text decides, any number of times.
            hears: what is heard in each utterance, in order; nothing in those after the last. A false start that
                came to nothing uses none of it up.
            clock: what a ``Wait`` waits on, the system's by default.
        """
        self._clock = clock or SystemClock()
        self._patterns = replies if isinstance(replies, Mapping) else None
        self._queue: deque[Reply] = deque() if isinstance(replies, Mapping) else deque(replies)
        self._hears = deque(hears)
        self.turns: deque[Turn] = deque(maxlen=_TURNS_KEPT)
        """What the engine was given, response by response: the latest hundred."""

    def listen(self) -> Listening:
        return _ScriptedListening(self._hears)

    async def think(self, turn: Turn) -> AsyncIterator[Thought]:
        self.turns.append(turn)
        reply = self._reply(last_text(turn))
        answer = reply(turn) if callable(reply) else reply
        if inspect.isawaitable(answer):
            answer = await answer
        for piece in _pieces(answer):
            if isinstance(piece, Wait):
                await self._clock.sleep_until(self._clock.now() + piece.seconds)
            else:
                yield piece

    async def speak(self, text: str, *, voice: str, speed: float) -> Samples:
        return synthetic_speech(text, speed=speed)

    async def close(self) -> None:
        """Nothing is held."""

    def _reply(self, heard: str) -> Reply:
        if self._patterns is None:
            if self._queue:
                return self._queue.popleft()
        else:
            for pattern, reply in self._patterns.items():
                if re.search(pattern, heard, re.IGNORECASE):
                    return reply
        raise SimulatorError(f"The script has no reply to {heard!r}: add one to `replies`.")


def last_text(turn: Turn) -> str:
    """Return what came last: the text or transcript of a message, or the output of a function."""
    if not turn.items:
        return ""
    item = turn.items[-1]
    if item["type"] == "function_call_output":
        return item["output"]
    content: Sequence[Mapping[str, Any]] = item.get("content", ())
    return " ".join(part.get("text") or part.get("transcript") or "" for part in content)


def _pieces(answer: Answer) -> list[Piece]:
    pieces = [answer] if isinstance(answer, str | Piece) else list(answer)
    calls = [i for i, piece in enumerate(pieces) if isinstance(piece, Call)]
    last_call = calls[-1] if calls else -1
    return [
        (Say(piece, "commentary" if i < last_call else "final_answer") if isinstance(piece, str) else piece)
        for i, piece in enumerate(pieces)
    ]


class _ScriptedListening:
    """Understand the next line of the script, some words each second."""

    def __init__(self, lines: deque[str | Fail]) -> None:
        self._lines = lines
        self._line = lines.popleft() if lines else ""
        self._words = tokens(self._line) if isinstance(self._line, str) else []
        self._told = 0
        self._heard = 0

    async def hear(self, samples: Samples) -> str:
        self._heard += len(samples)
        upto = min(len(self._words), self._heard * _WORDS_PER_S // RATE)
        told, self._told = self._told, max(self._told, upto)
        return "".join(self._words[told : self._told])

    async def finish(self) -> str | Fail:
        return self._line

    async def drop(self) -> None:
        self._lines.appendleft(self._line)
