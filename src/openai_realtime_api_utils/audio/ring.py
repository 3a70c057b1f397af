"""Hold sound at absolute positions in a circle of memory: a device, and several writers, share it as a tape."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .pcm import to_float

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..ports import Samples

_FULL_SCALE = np.float32(32_768)


class Ring:
    """Read and write a circle of float32 samples by positions that never wrap.

    Position ``p`` lies at ``p % size``; who uses it keeps apart the stretch that is the past, and the one to come.
    """

    def __init__(self, memory: NDArray[np.float32]) -> None:
        """Use ``memory``, which may be shared with a device or another process."""
        self.memory = memory
        self.size = len(memory)

    def write(self, position: int, samples: Samples) -> None:
        """Put sound at a position."""
        done = 0
        sound = to_float(samples)
        for start, length in self._spans(position, len(samples)):
            self.memory[start : start + length] = sound[done : done + length]
            done += length

    def silence(self, position: int, length: int) -> None:
        """Put silence at a position; more than the circle holds is the whole of it."""
        for start, span in self._spans(position, min(length, self.size)):
            self.memory[start : start + span] = 0

    def fade_out(self, position: int, length: int) -> None:
        """Let the sound fall to silence from a position on, over ``length`` samples."""
        gain = (np.arange(length, 0, -1, dtype=np.float32)) / (length + 1)
        done = 0
        for start, span in self._spans(position, length):
            self.memory[start : start + span] *= gain[done : done + span]
            done += span

    def read(self, position: int, length: int) -> Samples:
        """Return a copy of what lies at a position."""
        sound = np.concatenate([self.memory[start : start + n] for start, n in self._spans(position, length)])
        return np.rint(sound * _FULL_SCALE).astype(np.int16)  # nothing louder than int16 was ever put in

    def _spans(self, position: int, length: int) -> list[tuple[int, int]]:
        start = position % self.size
        first = min(length, self.size - start)
        return [(start, first), (0, length - first)] if first < length else [(start, first)]
