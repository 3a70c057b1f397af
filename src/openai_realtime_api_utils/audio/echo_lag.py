"""Hear by how much the echo of the far end drifts, so that the far end can be kept in step with it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .level import rms_dbfs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..ports import Samples

_FRAMES = 25
"""How much of the near end is looked for in the far end at a time, in frames of 10 ms: a quarter of a second."""
_EVERY = 50
"""How often, in frames: twice a second follows 400 ppm to the sample, once does not (measured)."""
_LONGEST = 50
"""The longest delay at which an echo is looked for, in frames. 100 to 250 ms are usual."""
_REACH = 24
"""How far from where it is expected an echo that is known is looked for, in samples; a drift of 2,000 ppm."""

_AUDIBLE_DBFS = -50.0
"""Below this an echo is too soft to go by."""
_LIKENESS = 0.5
"""Normalised correlation that an echo has at least, to go by it: a room that rings more is left to the canceller."""
_OF_BEST = 0.95
"""And how much of the best lately: with somebody talking over it, it has less, and is not where it seems."""
_FORGETTING = 0.98
_COARSE = 4
"""Samples that are taken for one, a divisor of a frame, where the echo is looked for everywhere; speech bears it."""
_AGREEMENT = 6
"""Samples that two finds in a row may differ by, where the echo was not known: a drift of 500 ppm."""
_MISSES = 4
"""So many times in a row not found where it is expected, the echo is not known any more."""

_SPAN = 7
"""How many of the last frames are judged, where it is asked whether they are echo: not much over what begins talk."""
_ONLY_ECHO, _ONLY_OF_BEST = 0.75, 0.85
"""How like the far end they are then, at least: where nothing rings, echo alone was 0.97 to 1.0 (17 times), and with a
word as loud over it 0.81 at most (42 times). Of a room that rings, or a voice much softer, it does not tell.
"""
_LEAST_ENERGY = 32.0**2
"""Mean square that a far end has at least, lest silence is like anything: -60 dBFS."""

_PLACE, _SPEED = 0.4, 0.1
"""How much of what a find is off by corrects the place, and the speed per interval: the rest may be noise."""


class _Found(NamedTuple):
    delay: float
    """Samples, a fraction included."""
    likeness: float


class EchoLag:
    """Say when to read the far end a sample earlier or later, so that its echo keeps the delay that it had first.

    A canceller takes every move of its reference against the echo for a change of the room. Where two devices run on
    clocks of their own the echo drifts; where a sound server passes sound on by the sample it does not, though the
    clocks may. Only the echo tells. Frames are of 10 ms, int16.
    """

    def __init__(self) -> None:
        self.is_known = False
        """Whether there is an echo to go by."""
        self._near: deque[Samples] = deque(maxlen=_FRAMES)
        self._far: deque[Samples] = deque(maxlen=_FRAMES + _LONGEST)
        self._heard = 0
        self._delay: float = 0.0
        self._later: float = 0.0
        """By how much more than ``_delay`` the echo comes after its far end by now."""
        self._speed: float = 0.0
        """By how much that grows in a frame."""
        self._best: float = 0.0
        self._misses = 0
        self._candidate: float = 0.0

    def hear(self, near: Samples, far: Samples) -> int:
        """Take a frame of each; return how many samples earlier to read the far end from the next on: -1, 0 or 1."""
        self._near.append(near)
        self._far.append(far)
        self._heard += 1
        if self._heard % _EVERY == 0 and len(self._far) == _FRAMES + _LONGEST:
            self._look()
        if not self.is_known:
            return 0
        self._later += self._speed
        step = max(-1, min(1, int(self._later)))
        self._later -= step
        return step

    def forget(self) -> None:
        """Take that one of the two has jumped: the echo may be anywhere. How it drifts stays."""
        self.is_known, self._candidate = False, 0.0
        self._far.clear()

    def is_echo(self) -> bool:
        """Whether what was heard last is the far end and hardly anything else, delayed by whatever."""
        near, far = list(self._near)[-_SPAN:], list(self._far)
        if len(far) <= _SPAN:
            return False
        found = _find_roughly(np.concatenate(near), np.concatenate(far))
        return found is not None and found.likeness > max(_ONLY_ECHO, _ONLY_OF_BEST * self._best)

    def _look(self) -> None:
        near = np.concatenate(self._near)
        far = np.concatenate(self._far)
        if min(rms_dbfs(near), rms_dbfs(far[-len(near) :])) < _AUDIBLE_DBFS:
            return
        if self.is_known:
            self._follow(near, far)
        else:
            self._search(near, far)

    def _follow(self, near: Samples, far: Samples) -> None:
        middle = self._later - self._speed * _FRAMES / 2
        longest = round(self._delay + middle) + _REACH
        echo = _find(near, far, max(0, longest - 2 * _REACH), longest)
        self._best *= _FORGETTING
        if echo is None or echo.likeness < max(_LIKENESS, _OF_BEST * self._best):
            self._misses += 1
            self.is_known = self._misses < _MISSES
            return
        off = echo.delay - self._delay - middle
        self._later += _PLACE * off
        self._speed += _SPEED * off / _EVERY
        self._best, self._misses = max(self._best, echo.likeness), 0

    def _search(self, near: Samples, far: Samples) -> None:
        rough = _find_roughly(near, far)
        echo = rough and _find(near, far, max(0, round(rough.delay) - _REACH), round(rough.delay) + _REACH)
        if echo is None or echo.likeness < _LIKENESS:
            self._candidate = 0.0
            return
        self.is_known = abs(echo.delay - self._candidate) <= _AGREEMENT
        self._candidate = self._delay = echo.delay
        self._later, self._best, self._misses = 0.0, echo.likeness, 0


def _find_roughly(near: Samples, far: Samples) -> _Found | None:
    """Find the delay to some samples, wherever it is, at a fraction of the work."""
    few, many = (part.reshape(-1, _COARSE).mean(axis=1) for part in (near, far))
    found = _find(few, many, 0, len(many) - len(few))
    return found and _Found(found.delay * _COARSE, found.likeness)


def _find(near: Samples, far: Samples, shortest: int, longest: int) -> _Found | None:
    """Find the delay in samples, between two, at which the far end is most like the near end that ends with it."""
    first = len(far) - len(near) - longest
    if first < 0:
        return None
    sought: NDArray[Any] = near.astype(np.float32)
    part = far[first : len(far) - shortest].astype(np.float32)
    size = 1 << (len(part) - 1).bit_length()
    match = np.fft.irfft(np.fft.rfft(part, size) * np.conj(np.fft.rfft(sought, size)), size)
    sums = np.concatenate(([0.0], np.cumsum(np.square(part), dtype=np.float64)))
    energies = np.maximum(sums[len(near) :] - sums[: -len(near)], _LEAST_ENERGY * len(near))
    likeness = match[: longest - shortest + 1] / np.sqrt(energies * max(1.0, float(np.dot(sought, sought))))
    at = int(np.argmax(likeness))
    if not 0 < at < len(likeness) - 1:
        return None
    before, best, after = (float(value) for value in likeness[at - 1 : at + 2])
    bend = before - 2 * best + after
    return _Found(longest - at - ((before - after) / (2 * bend) if bend else 0.0), best)
