"""Be the track that the assistant's speech goes out on: in time, and silent in between."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame

from ...clock import Clock
from ..engine import RATE

if TYPE_CHECKING:
    from ...ports import Samples

_FRAME = RATE // 50
"""Samples of a packet of 20 ms, which is what browsers send too."""


class SpeechTrack(MediaStreamTrack):
    """Hold the speech that is still to be sent. It is bounded by how far ahead of its sound a response is made."""

    kind = "audio"

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._left: deque[Samples] = deque()
        self._began = 0.0
        self._sent = 0

    def say(self, samples: Samples) -> None:
        """Put more speech behind what is there: int16, mono, at ``RATE``."""
        self._left.append(samples)

    def hush(self) -> None:
        """Leave out all that has not been sent."""
        self._left.clear()

    async def recv(self) -> AudioFrame:
        """Return the next frame when its time has come."""
        if self.readyState != "live":
            raise MediaStreamError
        if not self._sent:
            self._began = self._clock.now()
        await self._clock.sleep_until(self._began + self._sent / RATE)
        frame = AudioFrame.from_ndarray(self._next()[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = self._sent
        self._sent += _FRAME
        return frame

    def _next(self) -> Samples:
        frame = np.zeros(_FRAME, np.int16)
        at = 0
        while self._left and at < _FRAME:
            taken = self._left[0][: _FRAME - at]
            frame[at : at + len(taken)] = taken
            at += len(taken)
            rest = self._left.popleft()[len(taken) :]
            if len(rest):
                self._left.appendleft(rest)
        return frame
