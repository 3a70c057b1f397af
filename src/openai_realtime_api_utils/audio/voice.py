"""Hear that somebody speaks, within a tenth of a second, on a microphone whose echo is cancelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import require
from .level import SILENCE_DBFS, rms_dbfs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..ports import Samples

RATE = 24_000
"""Samples per second of what the detector is given."""

ON_MS = 60
"""Speech in a row that begins talk: with mode 2, 20 of 20 words were caught within 240 ms (median), 60 of them this."""
OFF_MS = 300
"""Silence in a row that ends it; pauses inside a word are shorter. A cough of 100 ms makes 400 ms of talk, which stays
below the 600 ms that confirm an interruption."""

_MODE = 2
_FRAME_MS = 20
_DECIMATION = 3
"""webrtcvad takes 8, 16, 32 and 48 kHz only, and works at 8 kHz inside."""
_TAPS = 36
_CUTOFF_HZ = 3_600

_FLOOR_DBFS = -60.0
"""Nobody speaks below this."""
_LONG_SILENCE_MS = 300
_SETTLING_MS = 100
"""When sound sets in after a long true silence (a gate was shut), webrtcvad takes steady noise for speech until it has
got used to it, 80 to 100 ms (measured with white noise from -55 to -30 dBFS)."""


class VoiceDetector:
    """Judge a stream of sound 20 ms at a time (webrtcvad), and smooth the judgements into talk and silence."""

    def __init__(self) -> None:
        """Make a detector.

        Raises:
            MissingExtraError: webrtcvad is not installed.
        """
        webrtcvad: Any = require("webrtcvad", extra="audio", needed_by="The local voice detector")
        self.is_talking = False
        self._vad = webrtcvad.Vad(_MODE)
        self._taps = _low_pass()
        self._history = np.zeros(_TAPS - 1, np.float32)
        self._frame = np.zeros(0, np.int16)
        self._run_ms = 0
        self._silent_ms = _LONG_SILENCE_MS
        self._settling_ms = 0

    def hear(self, samples: Samples, may_begin: Callable[[], bool] = lambda: True) -> None:
        """Take more of the stream, int16 at ``RATE``, any length.

        Args:
            samples: the stream.
            may_begin: is asked when talk is about to begin, and again 20 ms later if it may not.
        """
        stream = np.concatenate((self._frame, samples))
        size = RATE * _FRAME_MS // 1000
        while len(stream) >= size:
            self._judge(stream[:size], may_begin)
            stream = stream[size:]
        self._frame = stream

    def _judge(self, frame: Samples, may_begin: Callable[[], bool]) -> None:
        wide = np.concatenate((self._history, frame.astype(np.float32)))
        self._history = wide[-(_TAPS - 1) :]
        narrow = np.convolve(wide, self._taps, "valid")[::_DECIMATION]
        data = np.clip(np.rint(narrow), -32768, 32767).astype("<i2").tobytes()
        is_speech = self._vad.is_speech(data, RATE // _DECIMATION)
        if (self._may_be_speech(frame) and is_speech) is self.is_talking:
            self._run_ms = 0
            return
        self._run_ms += _FRAME_MS
        if self._run_ms >= (OFF_MS if self.is_talking else ON_MS) and (self.is_talking or may_begin()):
            self.is_talking = not self.is_talking
            self._run_ms = 0

    def _may_be_speech(self, frame: Samples) -> bool:
        """Whether a frame that sounds like speech counts; asked of every frame."""
        level = rms_dbfs(frame)
        if level <= SILENCE_DBFS:
            self._silent_ms += _FRAME_MS
            return False
        if self._silent_ms >= _LONG_SILENCE_MS:
            self._settling_ms = _SETTLING_MS
        self._silent_ms = 0
        has_settled = self._settling_ms <= 0
        self._settling_ms -= _FRAME_MS
        return has_settled and level > _FLOOR_DBFS


def _low_pass() -> NDArray[np.float32]:
    n = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(2 * _CUTOFF_HZ / RATE * n) * np.hamming(_TAPS)
    return (taps / taps.sum()).astype(np.float32)
