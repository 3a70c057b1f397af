"""Take the sound of a file a piece at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..audio.resample import Resampler
from .wav_reader import WavReader

if TYPE_CHECKING:
    from ..ports import Samples


class WavSound:
    """Be a file's sound at another rate with silence round it, taken a piece at a time."""

    def __init__(self, reader: WavReader, rate: int, lead_in: int, after: float) -> None:
        self._reader = reader
        self._resampler = Resampler(reader.rate, rate)
        self._piece = max(1, reader.rate // 50)
        self._ready: Samples = np.zeros(lead_in, np.int16)
        self._after = after
        self._has_more = True

    def take(self, n: int) -> Samples | None:
        """Return ``n`` samples; the last that there are, filled up with silence; then None."""
        while self._has_more and len(self._ready) < n:
            read = self._reader.read(self._piece)
            self._has_more = len(read) > 0
            more = self._resampler.process(read) if self._has_more else self._resampler.finish()
            self._ready = np.concatenate((self._ready, more))
        if not len(self._ready) and self._after <= 0:
            return None
        taken, self._ready = self._ready[:n], self._ready[n:]
        self._after -= n - len(taken)
        return np.concatenate((taken, np.zeros(n - len(taken), np.int16)))
