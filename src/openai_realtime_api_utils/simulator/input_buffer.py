"""Hold the sound that was appended and not yet committed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from .conversation import joined
from .engine import RATE

if TYPE_CHECKING:
    from ..ports import Samples

_LIMIT = 600 * RATE
"""Ten minutes. Beyond that the oldest sound is dropped; commits of some five minutes are known to work (measured)."""


class InputBuffer:
    """Keep the latest sound; positions count samples since the session began and never go back."""

    def __init__(self) -> None:
        self.end = 0
        self.start = 0
        self._chunks: deque[Samples] = deque()

    def __len__(self) -> int:
        return self.end - self.start

    def append(self, samples: Samples) -> None:
        self._chunks.append(samples)
        self.end += len(samples)
        self.drop_before(self.end - _LIMIT)

    def drop_before(self, position: int) -> None:
        """Forget what lies before ``position``."""
        while self.start < position and self._chunks:
            chunk = self._chunks.popleft()
            if self.start + len(chunk) > position:
                chunk = chunk[position - self.start :]
                self._chunks.appendleft(chunk)
                self.start = position
            else:
                self.start += len(chunk)

    def between(self, start: int, end: int) -> Samples:
        """Return the sound from ``start`` to ``end``, as far as it is still here."""
        pieces: list[Samples] = []
        at = self.end
        for chunk in reversed(self._chunks):  # what is asked for is mostly the latest
            at -= len(chunk)
            piece = chunk[max(0, start - at) : max(0, end - at)]
            if len(piece):
                pieces.append(piece)
            if at <= start:
                break
        return joined(pieces[::-1])
