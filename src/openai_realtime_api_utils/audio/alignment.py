"""Line the far end up with the microphone, where the two run on two clocks and neither is quite known."""

from __future__ import annotations

from collections import deque

LEAD_S = 0.04
"""How much earlier than the microphone the far end is read. An echo canceller looks back, never forward: a reference
that comes after its echo ruins it, one that comes 40 ms early costs nothing (measured: 3 to 15 dB if late, 57 to 70 if
early).
"""

_RESET_S = 0.01
"""A reference this far off is set anew, at the cost of a second or two of adapting."""

_WINDOW_S = 60.0
_ENOUGH = 40
"""Measurements that a trend needs; at 4 a second, 10 seconds' worth."""
_DEAD_S = 0.0005
"""Off by less, nothing is done: a minute of measurements is no better than 0.2 ms."""
_CATCH_UP_S = 5.0
"""Over which a deviation is taken out, one sample now and then: a canceller follows that, and no jump."""


class Alignment:
    """Say where on the far end's tape each frame of the microphone is read.

    The measurements are noisy, and a canceller takes every move of its reference for a change of the room. So the
    offset stays the same number of samples until it is really off; slow skew of the clocks is seen in the trend over a
    minute and followed by single samples.
    """

    def __init__(self, rate: int) -> None:
        """Make an alignment for a tape of ``rate`` samples a second."""
        self.resets = 0
        self.slips = 0
        self._rate = rate
        self._offset: int | None = None
        self._seen: deque[tuple[float, float]] = deque()
        self._trend: float = 0.0
        self._next_slip: float = 0.0

    def measure(self, now: float, wanted: float) -> None:
        """Take a measured offset between microphone and tape, in samples of the tape, a fraction included."""
        if self._offset is None or abs(wanted - self._offset) > _RESET_S * self._rate:
            self.resets += self._offset is not None
            self._offset = round(wanted)
            self._seen.clear()
            self._trend = 0.0
            return
        self._seen.append((now, wanted))
        while now - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        self._trend = _line_at(now, self._seen) - self._offset if len(self._seen) >= _ENOUGH else 0.0

    def offset(self, now: float) -> int:
        """Return the offset to read the next frame with, in samples of the tape.

        Raises:
            ValueError: nothing was measured yet.
        """
        if self._offset is None:
            raise ValueError("Nothing was measured yet: call measure() first.")
        if abs(self._trend) > _DEAD_S * self._rate and now >= self._next_slip:
            step = 1 if self._trend > 0 else -1
            self._offset += step
            self._trend -= step
            self.slips += 1
            self._next_slip = now + _CATCH_UP_S / (abs(self._trend) + 1)
        return self._offset


def _line_at(t: float, points: deque[tuple[float, float]]) -> float:
    """Return the value at ``t`` of the straight line that fits the points best."""
    n = len(points)
    mean_t = sum(p[0] for p in points) / n
    mean_v = sum(p[1] for p in points) / n
    spread = sum((p[0] - mean_t) ** 2 for p in points)
    slope = sum((p[0] - mean_t) * (p[1] - mean_v) for p in points) / spread if spread else 0.0
    return mean_v + slope * (t - mean_t)
