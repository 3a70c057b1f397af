"""Measure how loud sound is, and soften its edges."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..ports import Samples

SILENCE_DBFS = -100.0
"""What silence counts as: below the smallest 16-bit sound (-90.3 dBFS), and still a number to draw."""

FADE_S = 0.005
"""Length of a fade at a cut: long enough to hear no click, short enough to hear no delay."""


def rms_dbfs(samples: Samples) -> float:
    """Return the mean level in dB below full scale (a full-scale sine is -3 dBFS)."""
    if not len(samples):
        return SILENCE_DBFS
    sound = samples.astype(np.float64)
    return _dbfs(math.sqrt(float(np.dot(sound, sound)) / len(sound)))


def peak_dbfs(samples: Samples) -> float:
    """Return the highest level in dB below full scale."""
    return _dbfs(float(np.max(np.abs(samples.astype(np.int32)), initial=0)))


def _dbfs(amplitude: float) -> float:
    return max(SILENCE_DBFS, 20 * math.log10(amplitude / 32_768)) if amplitude > 0 else SILENCE_DBFS


def faded_in(samples: Samples, length: int, start: int = 0) -> Samples:
    """Return the samples ``start``... of a sound whose first ``length`` samples rise from silence."""
    return _scaled(samples, np.minimum((np.arange(start, start + len(samples)) + 1) / (length + 1), 1.0))


def faded_out(samples: Samples) -> Samples:
    """Return samples that fall to silence over their whole length."""
    return _scaled(samples, _falling(len(samples)))


@lru_cache(maxsize=16)  # a loudspeaker has one length of fade, and an interruption waits for it
def _falling(length: int) -> NDArray[Any]:
    return np.arange(length, 0, -1) / (length + 1)


def _scaled(samples: Samples, gain: NDArray[Any]) -> Samples:
    return np.rint(samples * gain).astype(np.int16)
