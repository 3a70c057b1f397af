"""Line the far end up with the microphone, where the two run on two clocks and neither is quite known."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

LEAD_S = 0.04
"""How much earlier than the microphone the far end is read. An echo canceller looks back, never forward: a reference
that comes after its echo ruins it, one that comes 40 ms early costs nothing (measured: 3 to 15 dB if late, 57 to 70 if
early).
"""

_RESET_S = 0.025
"""A reference this far off is set anew, at the cost of a second or two of adapting. What the two streams say of
themselves strays by 17 ms while neither loses a sample (measured on PulseAudio), and the lead bears as much.
"""

_STRAYING = 0.1
"""How much of what a measurement is off by is believed to be its own: four a second, which stray by 1 ms in one."""

_WINDOW_S = 60.0
_ENOUGH = 40
"""Measurements that a trend needs; at 4 a second, 10 seconds' worth."""
_CLEAR_S = 0.0005
"""A trend that goes less far over its window is none: a minute of measurements is no better than 0.2 ms."""
_STEADY = 0.5
"""By what part of a trend its two halves may differ; what converges falls off by more."""


class Alignment:
    """Say where on the far end's tape each frame of the microphone is read.

    The measurements are noisy, and a canceller takes every move of its reference for a change of the room. So the
    offset stays the same number of samples until it is really off. Skew of the two clocks is a clear trend over up to a
    minute, and is followed by single samples; what a sound server guesses better and better of its own delay is none.
    """

    def __init__(self, rate: int) -> None:
        """Make an alignment for a tape of ``rate`` samples a second."""
        self.resets = 0
        self.slips = 0
        self._rate = rate
        self._offset: int | None = None
        self._seen: deque[tuple[float, float]] = deque()
        self._skew = 0.0
        """In samples per second."""
        self._owed = 0.0
        """What of the skew has not been followed: less than a sample."""
        self._read_at = 0.0
        self._strayed = 0.0
        """By how much the measurements have moved, and the echo has not."""

    def measure(self, now: float, wanted: float, *, is_echo_known: bool = False) -> None:
        """Take a measured offset between microphone and tape, in samples of the tape, a fraction included.

        While the echo itself is known, the measurements only tell of jumps; ``slip`` follows it.
        """
        wanted -= self._strayed
        if self._offset is None or abs(wanted - self._offset) > _RESET_S * self._rate:
            self.resets += self._offset is not None
            self._offset = round(wanted)
            self._seen.clear()
            self._skew = self._owed = 0.0
            return
        if is_echo_known:
            self._strayed += _STRAYING * (wanted - self._offset)
            self._seen.clear()
            self._skew = self._owed = 0.0
            return
        self._seen.append((now, wanted))
        while now - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        self._skew = self._clear_trend() if len(self._seen) >= _ENOUGH else 0.0

    def slip(self, samples: int) -> None:
        """Move the offset, as the echo has moved."""
        if self._offset is not None and samples:
            self._offset += samples
            self.slips += abs(samples)

    def offset(self, now: float) -> int:
        """Return the offset to read the next frame with, in samples of the tape.

        Raises:
            ValueError: nothing was measured yet.
        """
        if self._offset is None:
            raise ValueError("Nothing was measured yet: call measure() first.")
        self._owed += self._skew * (now - self._read_at)
        self._read_at = now
        if abs(self._owed) >= 1.0:
            step = 1 if self._owed > 0 else -1
            self._offset += step
            self._owed -= step
            self.slips += 1
        return self._offset

    def _clear_trend(self) -> float:
        points = list(self._seen)
        slope = _slope(points)
        if abs(slope) * (points[-1][0] - points[0][0]) < _CLEAR_S * self._rate:
            return 0.0
        middle = len(points) // 2
        is_steady = abs(_slope(points[middle:]) - _slope(points[:middle])) < _STEADY * abs(slope)
        return slope if is_steady else 0.0


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the straight line that fits the points best."""
    n = len(points)
    mean_t = sum(p[0] for p in points) / n
    mean_v = sum(p[1] for p in points) / n
    spread = sum((p[0] - mean_t) ** 2 for p in points)
    return sum((p[0] - mean_t) * (p[1] - mean_v) for p in points) / spread if spread else 0.0
