"""Understand an utterance as what was said in the room meanwhile: the listener of a test knows what that was."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..audio.level import rms_dbfs

if TYPE_CHECKING:
    from ..ports import Samples

_FAINT_DBFS = -60.0
"""Below this a stretch of sound holds nothing: a muted microphone is sent as silence."""


class RoomListener:
    """Listen to one utterance, which begins now."""

    def __init__(self, words_by_now: Callable[[], list[str]], on_heard: Callable[[str], None]) -> None:
        """Begin to listen.

        Args:
            words_by_now: tells the words that were said since the utterance began.
            on_heard: is told what was understood, which then belongs to no later utterance.
        """
        self._words_by_now = words_by_now
        self._on_heard = on_heard
        self._told = 0
        self._is_loud = False

    async def hear(self, samples: Samples) -> str:
        self._is_loud = self._is_loud or rms_dbfs(samples) > _FAINT_DBFS
        words = self._words_by_now() if self._is_loud else []
        told, self._told = self._told, max(self._told, len(words))
        new = " ".join(words[told:])
        return f" {new}" if new and told else new

    async def finish(self) -> str:
        words = self._words_by_now() if self._is_loud else []
        text = " ".join(words)
        self._on_heard(text)
        return text

    async def drop(self) -> None:
        """What was said is left to the next utterance."""
