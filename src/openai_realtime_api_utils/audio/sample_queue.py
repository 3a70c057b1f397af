"""Hold sound between one who reads it and one who sends it on; merge it while the other lags, and drop the oldest."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

if TYPE_CHECKING:
    from ..ports import Samples

Mark = TypeVar("Mark")


class SampleQueue(Generic[Mark]):
    """Hold samples, and marks between them that are never dropped.

    When more than ``limit`` samples wait, the oldest are dropped and counted: late sound is worth less than new.
    """

    def __init__(self, limit: int) -> None:
        self.lost = 0
        """How many samples were dropped in all."""
        self._limit = limit
        self._parts: deque[Samples | _Marked[Mark]] = deque()
        self._waiting = 0

    def put(self, samples: Samples) -> None:
        """Add sound, and drop what is too old by now."""
        self._parts.append(samples)
        self._waiting += len(samples)
        if self._waiting > self._limit:
            self._drop(self._waiting - self._limit)

    def mark(self, mark: Mark) -> None:
        """Set a mark after the sound so far."""
        self._parts.append(_Marked(mark))

    def take_samples(self, at_least: int) -> Samples | None:
        """Return all the sound before the next mark; None while that is too little and more may come before one."""
        chunks: list[Samples] = []
        for part in self._parts:
            if isinstance(part, _Marked):
                at_least = 1
                break
            chunks.append(part)
        if sum(map(len, chunks)) < max(at_least, 1):
            return None
        for _ in chunks:
            self._waiting -= len(self._popped_samples())
        return np.concatenate(chunks)

    def take_mark(self) -> Mark | None:
        """Return the next mark if no sound is before it, else None."""
        while self._parts and not isinstance(self._parts[0], _Marked) and not len(self._parts[0]):
            self._parts.popleft()
        first = self._parts[0] if self._parts else None
        if not isinstance(first, _Marked):
            return None
        self._parts.popleft()
        return first.mark

    def _popped_samples(self) -> Samples:
        part = self._parts.popleft()
        return np.zeros(0, np.int16) if isinstance(part, _Marked) else part

    def _drop(self, n: int) -> None:
        self.lost += n
        self._waiting -= n
        for index, part in enumerate(self._parts):
            if isinstance(part, _Marked):
                continue
            dropped = min(n, len(part))
            self._parts[index] = part[dropped:]
            n -= dropped
            if not n:
                break


class _Marked(Generic[Mark]):
    """Tell a mark from sound."""

    def __init__(self, mark: Mark) -> None:
        self.mark = mark
