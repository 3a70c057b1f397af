"""Tell what a canceller let through of the echo from somebody's voice."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from .echo import AUDIBLE_DBFS

if TYPE_CHECKING:
    from ..ports import Samples

_WINDOW = 6
"""Frames of 10 ms over which power is averaged: what begins talk."""
_HOLD = 20
"""Frames for which the loudest the microphone heard counts: the canceller's output is later and goes on longer."""
_TAIL = 35
"""Frames for which a room rings, and its delay lasts, after the far end has fallen silent."""

_VOICE_DB = 18.0
"""A voice is at most so much softer than what the microphone heard: 43 of 45 words as loud as the echo were."""
_SURE_DB = 12.0
"""And so much where the canceller is adapting: 40 of 45."""

_FULL_SCALE = 32_768.0**2
_AUDIBLE = _FULL_SCALE * 10 ** (AUDIBLE_DBFS / 10)


class EchoLeak:
    """Compare the microphone before and after a canceller, while the far end sounds. Frames of 10 ms, int16.

    A voice as loud as the echo comes through the canceller 5 to 15 dB softer than the microphone heard the two. An echo
    that it does not take out quite, because the room or the streams moved, is 20 to 40 dB softer; within two seconds
    after a stream jumped, 11 dB and more (all measured). A voice much softer than the echo cannot be told from it.
    """

    def __init__(self) -> None:
        self.may_be_voice = True
        """Whether what was heard lately may be more than echo."""
        self._sounding = 0
        self._near: deque[float] = deque(maxlen=_WINDOW)
        self._clean: deque[float] = deque(maxlen=_WINDOW)
        self._loudest: deque[float] = deque(maxlen=_HOLD)

    def hear(self, near: Samples, far: Samples, clean: Samples, *, is_adapting: bool) -> None:
        """Take a frame of each."""
        self._sounding = _TAIL if _power(far) > _AUDIBLE else self._sounding - 1
        self._near.append(_power(near))
        self._clean.append(_power(clean))
        self._loudest.append(sum(self._near) / _WINDOW)
        least = 10 ** (-(_SURE_DB if is_adapting else _VOICE_DB) / 10) * max(self._loudest)
        self.may_be_voice = self._sounding <= 0 or sum(self._clean) / _WINDOW > least


def _power(frame: Samples) -> float:
    wide = frame.astype(np.float32)
    return float(np.dot(wide, wide)) / max(1, len(wide))
