"""Know when each sample of a stream is at the converter, from noisy stamps, across interruptions of the stream."""

from __future__ import annotations

from typing import NamedTuple

JUMP_S = 0.003
"""Stamps are 1 to 1.6 ms off (root mean square; 5 ms at most, measured): what two agree on beyond this is real."""

_SMOOTHING = 0.03
"""How much of a small deviation one stamp corrects: at four stamps a second, half of it in 6 seconds."""


class Stamp(NamedTuple):
    """Say when one sample was at the converter."""

    time: float
    sample: int


class Anchor:
    """Keep the time of sample 0 of a stream that should be steady, and is not.

    An interruption of the stream (an xrun) shifts all that comes after it: the time of sample 0 then jumps.
    """

    def __init__(self, rate: int, first: Stamp) -> None:
        self.rate = rate
        self.zero = first.time - first.sample / rate
        """When sample 0 was at the converter, or would have been had the stream been steady."""
        self.jumps = 0
        self.is_in_doubt = False
        """Whether the last stamp said that the stream jumped: ask for another soon."""

    def see(self, stamp: Stamp) -> float:
        """Take a stamp; return by how many seconds the stream has jumped, which is 0 nearly always."""
        deviation = stamp.time - stamp.sample / self.rate - self.zero
        if abs(deviation) < JUMP_S:
            self.zero += _SMOOTHING * deviation
            self.is_in_doubt = False
            return 0.0
        if not self.is_in_doubt:
            self.is_in_doubt = True
            return 0.0
        self.zero += deviation
        self.is_in_doubt = False
        self.jumps += 1
        return deviation

    def time_of(self, index: int) -> float:
        """Return when a sample is at the converter."""
        return self.zero + index / self.rate
