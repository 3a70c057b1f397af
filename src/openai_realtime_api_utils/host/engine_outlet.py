"""Deliver the microphone to the program without a gap, and listen for talk in what is delivered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..audio.voice import VoiceDetector
from .sound_memory import RATE, RECORD, SoundMemory

if TYPE_CHECKING:
    from ..ports import Samples

_RECORD_S = RECORD / RATE
_LATE_S = 0.1
"""How late sound may come before silence is delivered in its place."""


class EngineOutlet:
    """Put records of the microphone into the memory, across devices that come and go.

    A server's turn detection needs sound that flows: what is missing is delivered as silence.
    """

    def __init__(self, memory: SoundMemory, voice: VoiceDetector | None, now: float) -> None:
        self._memory = memory
        self._voice = voice
        self._delivered_to = now
        self._deaf_until = now

    def be_deaf(self, seconds: float) -> None:
        """Take nothing that is delivered for so long for talk: it may be echo."""
        self._deaf_until = self._delivered_to + seconds

    def put(
        self,
        time: float,
        lost: int,
        samples: Samples,
        on_talk: Callable[[], None],
        may_begin: Callable[[], bool] = lambda: True,
    ) -> None:
        """Deliver a record; ``on_talk`` is called when talk begins, which it does only if it may."""
        if time + _RECORD_S / 2 < self._delivered_to:
            return  # silence stands in its place
        if not lost:
            self._fill(time)
        self._delivered_to = time + _RECORD_S
        self._memory.put_record(time, lost, samples)
        if self._voice is None:
            return
        self._voice.hear(samples, lambda: time >= self._deaf_until and may_begin())
        if self._voice.is_talking != bool(self._memory.header.talk_changes % 2):
            self._memory.header.talk_changes += 1  # first, lest the program takes over a hold that it cannot explain
            if self._voice.is_talking:
                on_talk()

    def be_silent(self, now: float) -> None:
        """Deliver silence for what has not come."""
        self._fill(now - _LATE_S)

    def _fill(self, end: float) -> None:
        while self._delivered_to + _RECORD_S <= end:
            self._memory.put_record(self._delivered_to, 0, np.zeros(RECORD, np.int16))
            self._delivered_to += _RECORD_S
