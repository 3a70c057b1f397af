"""Take a microphone's sound out of a stream in frames of 10 ms, each with its time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..audio.anchor import Anchor
from ..audio.pcm import to_int16
from ..audio.resample import Resampler
from .backend import InputStream
from .sound_memory import RATE, RECORD, SoundMemory
from .steadiness import Steadiness

if TYPE_CHECKING:
    from ..ports import Samples


class EngineInput:
    """Run a microphone until it stops."""

    def __init__(self, memory: SoundMemory, stream: InputStream, now: float) -> None:
        self.stream = stream
        self.anchor = Anchor(stream.rate)
        self.frames = 0
        """How many frames were taken out."""
        self.steadiness = Steadiness(now)
        self._memory = memory
        self._resampler = Resampler(stream.rate, RATE)
        self._rest = np.zeros(0, np.int16)
        self._lost = 0
        self._runs = 0

    def step(self, now: float) -> bool:
        """Watch the stream; return whether its time was measured anew."""
        self.steadiness.see(now, self.stream)
        stamp = self.stream.stamp()
        if stamp is not None:
            if jump := self.anchor.see(stamp):
                self._memory.header.mic_jumps += 1
                self._lost += max(0, round(jump * RATE))
            self.steadiness.stamped(now, in_doubt=self.anchor.is_in_doubt)
        if self.steadiness.is_probe_due(now):
            self.stream.probe()
        self._memory.header.overruns += self.stream.runs - self._runs
        self._runs = self.stream.runs
        return stamp is not None

    def take_frames(self) -> Iterator[tuple[float, int, Samples]]:
        """Yield each frame that is complete: its time, the samples missing before it, and its sound.

        What was recorded before its time was known is dropped.
        """
        recorded = self.stream.read()
        if not len(recorded):
            return
        fresh = self._resampler.process(to_int16(recorded))
        sound = np.concatenate((self._rest, fresh))
        whole = len(sound) // RECORD * RECORD
        self._rest = sound[whole:]
        for frame in sound[:whole].reshape(-1, RECORD):
            number = self.frames
            self.frames += 1
            if self.anchor.is_known:
                lost, self._lost = self._lost, 0
                yield self.anchor.zero + number * RECORD / RATE, lost, frame
