"""Know when each sample of a stream is at the converter, from noisy stamps, across interruptions of the stream."""

from __future__ import annotations

from typing import NamedTuple

JUMP_S = 0.01
"""What two stamps agree on beyond this is real. A sound server guesses its own delay: on PulseAudio, while not a sample
was inserted or lost, stamps strayed by 17 ms in the first 20 s of a stream, 1 ms from one to the next, and stepped
back by up to 6 ms at once (measured).
"""
_AGREEING_S = 0.003
"""Stamps of a stream that runs are 1 to 1.6 ms off (root mean square; 5 ms at most, measured)."""

_SMOOTHING = 0.1
"""How much of a small deviation one stamp corrects: at four stamps a second, half of it in 1.7 seconds."""

_SETTLING_S = 0.15
"""The stamps of a stream that begins must agree for so long: before it really runs, they agree on what is wrong."""


class Stamp(NamedTuple):
    """Say when one sample was at the converter."""

    time: float
    sample: int


class Anchor:
    """Keep the time of sample 0 of a stream that should be steady, and is not.

    An interruption of the stream (an xrun) shifts all that comes after it: the time of sample 0 then jumps. The stamps
    of a stream that has just begun are off by up to 0.4 s (measured). So nothing is believed that two stamps in a row
    do not agree on.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.zero = 0.0
        """When sample 0 was at the converter, or would have been had the stream been steady."""
        self.is_known = False
        """Whether ``zero`` means anything yet."""
        self._last = 0.0
        """What the last stamp that was believed said, without smoothing."""
        self._candidate: float | None = None
        self._candidate_time = 0.0

    @property
    def is_in_doubt(self) -> bool:
        """Whether the last stamp has to be confirmed: take another soon."""
        return not self.is_known or self._candidate is not None

    def see(self, stamp: Stamp) -> float:
        """Take a stamp; return by how many seconds the stream has jumped, which is 0 nearly always."""
        zero = stamp.time - stamp.sample / self.rate
        if self.is_known and abs(zero - self._last) < JUMP_S:
            self.zero += _SMOOTHING * (zero - self.zero)
            self._last, self._candidate = zero, None
            return 0.0
        if self._candidate is None or abs(zero - self._candidate) > _AGREEING_S:
            self._candidate, self._candidate_time = zero, stamp.time
            return 0.0
        if not self.is_known and stamp.time - self._candidate_time < _SETTLING_S:
            return 0.0
        agreed = (zero + self._candidate) / 2
        jump = agreed - self._last if self.is_known else 0.0
        self.zero, self._last, self.is_known, self._candidate = agreed, agreed, True, None
        return jump

    def time_of(self, sample: int) -> float:
        """Return when a sample is at the converter."""
        return self.zero + sample / self.rate
