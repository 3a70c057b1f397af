"""Change the rate of sound, while it comes or all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import FormatError, require
from .pcm import to_float, to_int16

if TYPE_CHECKING:
    from ..ports import Samples

_TAIL_S = 0.05
"""Silence that pushes the last of a sound out of the filter; the filter itself is under 3 ms at 8 kHz."""


class Resampler:
    """Resample a stream of sound piece by piece; how it is cut into pieces changes nothing.

    Band-limited (libsamplerate's ``sinc_fastest``), which holds back about 0.8 ms. What comes out begins with the
    first sample that went in: no delay is added. Equal rates pass through untouched.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        """Make a resampler.

        Raises:
            FormatError: a rate is not positive.
            MissingExtraError: the rates differ and ``samplerate`` is not installed.
        """
        if from_rate <= 0 or to_rate <= 0:
            raise FormatError(f"Sound cannot be resampled from {from_rate} Hz to {to_rate} Hz: give positive rates.")
        self.from_rate = from_rate
        self.to_rate = to_rate
        self._taken = 0
        self._given = 0
        self._converter = None
        if from_rate != to_rate:
            samplerate = require("samplerate", extra="audio", needed_by=f"Resampling {from_rate} Hz to {to_rate} Hz")
            self._converter = samplerate.Resampler("sinc_fastest", channels=1)

    def process(self, samples: Samples) -> Samples:
        """Take more sound; return what is ready of it, which may be nothing."""
        if self._converter is None or not len(samples):
            return samples
        self._taken += len(samples)
        ready = to_int16(self._converter.process(to_float(samples), self.to_rate / self.from_rate))
        self._given += len(ready)
        return ready

    def finish(self) -> Samples:
        """Return the rest, so that the whole is as long as what went in, and be ready for another sound."""
        if self._converter is None:
            return np.zeros(0, np.int16)
        left = round(self._taken * self.to_rate / self.from_rate) - self._given
        tail = np.zeros(int(self.from_rate * _TAIL_S), np.float32)
        rest = to_int16(self._converter.process(tail, self.to_rate / self.from_rate))[: max(left, 0)]
        self._converter.reset()
        self._taken = self._given = 0
        return rest


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Return a whole sound at another rate."""
    resampler = Resampler(from_rate, to_rate)
    return np.concatenate((resampler.process(samples), resampler.finish()))
