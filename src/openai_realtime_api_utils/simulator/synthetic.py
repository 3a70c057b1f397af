"""Make sound that a voice detector takes for speech, from arithmetic alone."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from .engine import RATE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..ports import Samples

SECONDS_PER_CHARACTER = 0.06
"""About the rate of unhurried speech: some 16 characters a second."""
_PITCH_HZ = 120.0
_FORMANTS_HZ = ((700, 1200, 2600), (300, 2300, 3000), (500, 900, 2400), (400, 1900, 2600))
"""Rough resonances of four vowels; syllables go through them in turn."""
_FORMANT_WIDTH_HZ = 150.0
_FLOOR = 0.05
"""How much of every harmonic sounds, far from any resonance too."""
_SYLLABLE_S = 0.18
_BLOCK = RATE
_BLOCKS = 18
"""After 18 s the voice repeats itself: its wobble takes 0.25 s, its four syllables 0.72 s."""
_LEVEL = 16_000
"""Of 32,768, for all harmonics at their height at once; the sound itself is much softer."""


def synthetic_speech(text: str, *, speed: float = 1.0) -> Samples:
    """Return a voiced sound as long as it would take to say ``text``: int16, mono, at ``engine.RATE``.

    Harmonics of one pitch, shaped by the resonances of vowels, rising and falling syllable by syllable.
    """
    return voiced(len(text) * SECONDS_PER_CHARACTER / speed)


def voiced(seconds: float) -> Samples:
    """Return so much of the synthetic voice."""
    n = round(seconds * RATE)
    blocks = [_block(i % _BLOCKS) for i in range(-(-n // _BLOCK))]
    return np.concatenate([np.zeros(0, np.int16), *blocks])[:n]


@cache
def _block(i: int) -> Samples:
    """Return a stretch of the voice: made once, since a server speaks for many sessions at a time."""
    t = np.arange(i * _BLOCK, (i + 1) * _BLOCK) / RATE
    phase = 2 * np.pi * _PITCH_HZ * t + 0.5 * np.sin(2 * np.pi * 4 * t)
    syllable = (t / _SYLLABLE_S).astype(int)
    sound = np.zeros(_BLOCK)
    for vowel, formants in enumerate(_FORMANTS_HZ):
        mask = syllable % len(_FORMANTS_HZ) == vowel
        if mask.any():
            sound[mask] = _vowel(phase[mask], formants)
    envelope = 0.55 - 0.45 * np.cos(2 * np.pi * t / _SYLLABLE_S)
    return (sound * envelope * _LEVEL).astype(np.int16)


def _vowel(phase: NDArray[np.float64], formants: tuple[int, ...]) -> NDArray[np.float64]:
    harmonics = np.arange(1, 30)
    distances = (harmonics[:, None] * _PITCH_HZ - np.array(formants)) / _FORMANT_WIDTH_HZ
    heights = np.exp(-(distances**2)).sum(axis=1) + _FLOOR
    return np.sin(np.outer(phase, harmonics)) @ (heights / heights.sum())
