"""Speak and listen in memory: a loudspeaker that remembers, and a microphone that is told what to hear."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ..clock import Clock
from ..errors import require
from ..ports import Frame
from .pace import paced
from .tape_speaker import TapeSpeaker

if TYPE_CHECKING:
    from ..ports import Samples


class MemorySpeaker(TapeSpeaker):
    """Be a loudspeaker that remembers what sounded."""

    def __init__(self, clock: Clock, *, rate: int = 24_000, keep_s: float = 300.0) -> None:
        """Make a loudspeaker; what is older than ``keep_s`` seconds is forgotten."""
        super().__init__(clock, rate, keep_s=keep_s)

    def sounded(self) -> Samples:
        """Return all that sounded until now, silence included, as far as it is remembered."""
        return self.come_to_present().past(0)[1]


class MemoryMicrophone:
    """Be a microphone in a silent place, until something is said into it."""

    def __init__(self, clock: Clock, *, rate: int = 24_000, frame_ms: int = 20) -> None:
        self._np = require("numpy", extra="audio", needed_by="MemoryMicrophone")
        self.rate = rate
        self._clock = clock
        self._block = rate * frame_ms // 1000
        self._said: deque[Samples] = deque()
        self._has_ended = False

    def say(self, samples: Samples) -> None:
        """Sound this as soon as what was said before is out, however much waits; int16 at the microphone's rate."""
        self._said.append(self._np.array(samples, self._np.int16))

    def end(self) -> None:
        """End the microphone as soon as everything said is out."""
        self._has_ended = True

    def frames(self) -> AsyncIterator[Frame]:
        return paced(self._next_block, self.rate, self._clock)

    def _next_block(self) -> Samples | None:
        if self._has_ended and not self._said:
            return None
        block, filled = self._np.zeros(self._block, self._np.int16), 0
        while self._said and filled < self._block:
            chunk = self._said.popleft()
            taken = chunk[: self._block - filled]
            block[filled : filled + len(taken)] = taken
            filled += len(taken)
            if len(taken) < len(chunk):
                self._said.appendleft(chunk[len(taken) :])
        return block
