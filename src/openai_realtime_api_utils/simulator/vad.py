"""Judge, 20 ms at a time, how likely it is that somebody speaks."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..errors import require
from .engine import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..ports import Samples

FRAME = RATE // 50
"""Samples of one judgement: 20 ms."""

_NEEDED_BY = "The simulator's turn detection"
_DECIMATION = 3
_RATE = RATE // _DECIMATION
"""webrtcvad takes 8, 16, 32 and 48 kHz only, and works at 8 kHz inside."""
_TAPS = 36
_CUTOFF_HZ = 3_600
_SMOOTHING_FRAMES = 5
"""Judgements are averaged over 100 ms, so that a click is not speech."""
_SETTLING_FRAMES = 5
_LONG_SILENCE_FRAMES = 15
"""When sound sets in after 300 ms of none, webrtcvad takes steady noise for speech until it has got used to it,
which takes it 80 to 100 ms (measured with white noise from -55 to -30 dBFS): those judgements do not count."""
_FLOOR = 32768 * 10 ** (-60 / 20)
"""Root mean square below which nobody speaks: -60 dBFS."""


class Vad(Protocol):
    """Judge a stream of sound."""

    def judge(self, samples: Samples) -> list[float]:
        """Take more of the stream, int16 at ``engine.RATE``, any length.

        Returns:
            The probability of speech for each ``FRAME`` that is complete by now, in order.
        """
        ...


def _low_pass() -> NDArray[np.float32]:
    n = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(2 * _CUTOFF_HZ / RATE * n) * np.hamming(_TAPS)
    return (taps / taps.sum()).astype(np.float32)


def check_installed(vad: Callable[[], Vad]) -> None:
    """Miss the default detector's package now, and not when the first sound comes.

    Raises:
        MissingExtraError: it is not installed.
    """
    if vad is WebRtcVad:
        require("webrtcvad", extra="local", needed_by=_NEEDED_BY)


class WebRtcVad:
    """Ask the four modes of webrtcvad, from lenient to strict, and take the share of those that say yes.

    The share, smoothed, stands in for the probability that the service's own model gives, so that a session's
    ``threshold`` means something: high thresholds want all modes to agree.
    """

    def __init__(self) -> None:
        webrtcvad: Any = require("webrtcvad", extra="local", needed_by=_NEEDED_BY)
        self._modes = [webrtcvad.Vad(mode) for mode in range(4)]
        self._taps = _low_pass()
        self._latest = np.zeros(_TAPS - 1 + FRAME, np.float32)
        self._windows = sliding_window_view(self._latest, _TAPS)[::_DECIMATION]
        self._rest = np.zeros(0, np.int16)
        self._silent_frames = _LONG_SILENCE_FRAMES
        self._settling = 0
        self._votes: deque[float] = deque([0.0] * _SMOOTHING_FRAMES, maxlen=_SMOOTHING_FRAMES)

    def judge(self, samples: Samples) -> list[float]:
        stream = np.concatenate((self._rest, samples))
        whole = len(stream) // FRAME * FRAME
        self._rest = stream[whole:]
        return [self._probability(frame) for frame in stream[:whole].reshape(-1, FRAME)]

    def _probability(self, frame: Samples) -> float:
        latest = self._latest
        latest[:-FRAME] = latest[FRAME:]
        latest[-FRAME:] = frame
        narrow = self._windows @ self._taps  # only the samples that are kept; the filter is symmetrical
        level = math.sqrt(narrow @ narrow / len(narrow))
        self._votes.append(self._share(narrow) if level >= _FLOOR else 0.0)
        self._silent_frames = 0 if level >= _FLOOR else self._silent_frames + 1
        return sum(self._votes) / _SMOOTHING_FRAMES

    def _share(self, narrow: NDArray[np.float32]) -> float:
        """Return how many of the modes take this for speech; sound that has just set in is judged, and not believed."""
        data = narrow.round().clip(-32768, 32767).astype("<i2").tobytes()
        yes = sum(vad.is_speech(data, _RATE) for vad in self._modes)
        if self._silent_frames >= _LONG_SILENCE_FRAMES:
            self._settling = _SETTLING_FRAMES
        self._settling = max(-1, self._settling - 1)
        return yes / len(self._modes) if self._settling < 0 else 0.0
