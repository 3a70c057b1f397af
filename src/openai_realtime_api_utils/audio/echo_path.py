"""Find a known sound again in what a microphone recorded: how late it came, and how loud."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from ..ports import Samples

_FROM_HZ, _TO_HZ = 300.0, 4_000.0
"""The sweep of the chirp: what small loudspeakers and telephone-grade microphones both pass."""

_LEAST_LIKENESS = 0.1
"""Normalised correlation below which nothing was found; noise alone stays well under it for a sweep of 0.3 s."""


class EchoPath(NamedTuple):
    """Say how a sound came back."""

    delay: int
    """Samples from the beginning of the recording to the beginning of the sound in it."""
    gain_db: float
    """How much louder it came back than it went out; below 0 where it is softer."""


def chirp(rate: int, seconds: float = 0.3) -> Samples:
    """Return a sweep that correlates sharply with itself, int16, faded at both ends, at -9 dBFS peak."""
    t = np.arange(round(rate * seconds)) / rate
    phase = 2 * np.pi * (_FROM_HZ * t + (_TO_HZ - _FROM_HZ) / (2 * seconds) * t * t)
    return np.asarray(np.sin(phase) * np.hanning(len(t)) * 0.355 * 32_767, np.int16)


def find(sound: Samples, recorded: Samples) -> EchoPath | None:
    """Find ``sound`` in ``recorded``, both int16 at one rate; None if it is not in there."""
    if len(recorded) < len(sound) or not np.any(recorded):
        return None
    known, heard = sound.astype(np.float64), recorded.astype(np.float64)
    size = 1 << (len(heard) + len(known)).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(known, size)), size)
    correlation = product[: len(heard) - len(known) + 1]
    delay = int(np.argmax(np.abs(correlation)))
    energy = float(np.dot(known, known))
    window = heard[delay : delay + len(known)]
    likeness = abs(correlation[delay]) / np.sqrt(energy * max(1.0, float(np.dot(window, window))))
    if likeness < _LEAST_LIKENESS:
        return None
    return EchoPath(delay, float(20 * np.log10(abs(correlation[delay]) / energy)))
