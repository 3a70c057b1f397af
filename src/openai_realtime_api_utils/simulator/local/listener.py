"""Listen to what the user says, with ``pocketsphinx`` in a process of its own."""

from __future__ import annotations

import importlib.util
import itertools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...clock import Clock
from ...errors import MissingExtraError, SimulatorError
from ..engine import RATE, Fail
from .listener_worker import BEGIN, DROP, FINISH, HEAR, REQUEST
from .worker import Worker

if TYPE_CHECKING:
    from ...ports import Samples

_PIECE = RATE // 2
"""Samples sent at a time: a cancelled or closed listener is at most this much sound behind (75 ms of decoding)."""


def jsgf(sentences: Sequence[str]) -> str:
    """Return the JSGF grammar of these sentences and no others, in the listener's spelling."""
    spoken = dict.fromkeys(spoken_form(sentence) for sentence in sentences)
    return f"#JSGF V1.0;\ngrammar sentences;\npublic <sentence> = {' | '.join(filter(None, spoken))};\n"


def spoken_form(sentence: str) -> str:
    """Return a sentence as the listener writes it: lower case, no punctuation but apostrophes."""
    return " ".join(re.sub(r"[^a-z' ]", " ", sentence.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")).split())


class Listener:
    """Understand English speech well enough to try things out, not well enough for a product.

    Its process starts with the first sound and stays warm.
    """

    def __init__(self, *, clock: Clock, grammar: Sequence[str] | str | None = None) -> None:
        """Prepare to listen.

        Args:
            clock: stands still while the listener works, if it is one that jumps.
            grammar: the sentences that may be said, or a JSGF grammar; None for general English. With a grammar,
                whatever is said is taken for one of its sentences.

        Raises:
            MissingExtraError: pocketsphinx is not installed.
        """
        if importlib.util.find_spec("pocketsphinx") is None:
            raise MissingExtraError("The local listener", "pocketsphinx", "local")
        self.hears = "general English" if grammar is None else "one grammar only"
        """What it can understand."""
        text = grammar if isinstance(grammar, str) else jsgf(grammar) if grammar else ""
        self._worker = Worker(f"{__package__}.listener_worker", [text], name="listener", clock=clock)
        self._numbers = itertools.count()

    def listen(self) -> Hearing:
        """Begin to listen to one utterance."""
        return Hearing(self._worker, next(self._numbers))

    async def close(self) -> None:
        """End the process."""
        await self._worker.close()


class Hearing:
    """Be one utterance on its way into the listener. A failure is told once, by ``finish``."""

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker = worker
        self._number = number
        self._begun = False
        self._failure: Fail | None = None

    async def hear(self, samples: Samples) -> str:
        understood = ""
        for at in range(0, len(samples), _PIECE):
            what = HEAR if self._begun else BEGIN
            self._begun = True
            understood += await self._ask(what, samples[at : at + _PIECE].tobytes())
        return understood

    async def finish(self) -> str | Fail:
        transcript = await self._ask(FINISH) if self._begun else ""
        return self._failure or transcript

    async def drop(self) -> None:
        if self._begun:
            await self._ask(DROP)

    async def _ask(self, what: bytes, sound: bytes = b"") -> str:
        if self._failure is not None:
            return ""
        try:
            return (await self._worker.ask(REQUEST.pack(what, self._number) + sound)).decode()
        except SimulatorError as error:
            self._failure = Fail("listener_failed", str(error))
            return ""
