"""Bring synthesized speech to one shape: the API's rate, one level, no dead time before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...audio.level import peak_dbfs, rms_dbfs
from ...audio.pcm import to_float, to_int16
from ...audio.resample import resample
from ..engine import RATE

if TYPE_CHECKING:
    from ...ports import Samples

LEVEL_DBFS = -20.0
"""Mean level of the speech: as loud as a person close to a microphone, with room for the peaks."""
_PEAK_DBFS = -1.0
_SILENCE_DBFS = -45.0
"""Below this, relative to the peak, speech has not begun or has ended."""
_BEFORE_S, _AFTER_S = 0.02, 0.25
"""Silence kept before speech, so that its onset is whole, and put after it, as a speaker pauses between sentences."""


def shaped(samples: Samples, rate: int) -> Samples:
    """Return speech at ``engine.RATE``, levelled and trimmed; nothing of what holds no sound."""
    if not np.any(samples):
        return np.zeros(0, np.int16)
    loud = np.flatnonzero(np.abs(samples) >= np.max(np.abs(samples.astype(np.int32))) * 10 ** (_SILENCE_DBFS / 20))
    speech = samples[max(0, loud[0] - int(_BEFORE_S * rate)) : loud[-1] + int(_BEFORE_S * rate)]
    gain_db = min(LEVEL_DBFS - rms_dbfs(speech), _PEAK_DBFS - peak_dbfs(speech))
    levelled = resample(to_int16(to_float(speech) * 10 ** (gain_db / 20)), rate, RATE)
    return np.concatenate((levelled, np.zeros(int(_AFTER_S * RATE), np.int16)))
