"""Lay speech on a tape ahead of the device that sounds it, and take it back when plans change."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..audio.resample import Resampler

if TYPE_CHECKING:
    from ..ports import Samples


class Segment(NamedTuple):
    """Be a part of speech that lies on the tape."""

    position: int
    length: int
    """In samples of the tape."""
    samples: Samples
    """The same sound as it was written, which is what is counted as heard."""

    def sounded_by(self, position: float) -> int:
        """Return how many of its samples lie before a position of the tape."""
        part = (position - self.position) / self.length
        return round(min(max(part, 0.0), 1.0) * len(self.samples))


@dataclass(eq=False)
class Stretch:
    """Be one stretch of speech: what was heard, what lies on the tape, what waits; in this order."""

    rate: int
    """Samples per second of what is written."""
    heard: int = 0
    """Samples heard before those on the tape."""
    laid: deque[Segment] = field(default_factory=deque["Segment"])
    waiting: deque[Samples] = field(default_factory=deque["Samples"])
    """What is not on the tape. An answer's length is bounded by the session's limit of tokens."""
    is_finished: bool = False
    is_held: bool = False
    is_cancelled: bool = False
    fades_in_from: int | None = None
    """The position of the tape at which it last came out of silence."""
    _resampler: Resampler | None = None
    _unready: Samples = field(default_factory=lambda: np.zeros(0, np.int16))
    """Went into the resampler, which has not given anything for it."""

    @property
    def is_begun(self) -> bool:
        """Whether some of it was put on the tape, and not taken back."""
        return self.heard > 0 or bool(self.laid)

    @property
    def is_laid(self) -> bool:
        """Whether all of it is on the tape or behind it."""
        return self.is_cancelled or (self.is_finished and not self.waiting and not len(self._unready))

    def prepared(self, rate: int) -> Iterator[tuple[Samples, Samples]]:
        """Take what waits: yield each piece as it was written, and as it sounds at the rate of the tape."""
        if self._resampler is None:
            self._resampler = Resampler(self.rate, rate)
        while self.waiting:
            piece = self.waiting.popleft()
            yield from self._given(piece, self._resampler.process(piece))
        if self.is_finished and len(self._unready):
            yield from self._given(self._unready[:0], self._resampler.finish())
            self._unready = self._unready[:0]

    def _given(self, piece: Samples, sound: Samples) -> Iterator[tuple[Samples, Samples]]:
        source = np.concatenate((self._unready, piece)) if len(self._unready) else piece
        if len(sound):
            self._unready = source[:0]
            yield source, sound
        else:
            self._unready = source

    def settle(self, heard_to: float) -> None:
        """Count what lies before a position of the tape as heard."""
        while self.laid and self.laid[0].position + self.laid[0].length <= heard_to:
            self.heard += len(self.laid.popleft().samples)

    def heard_by(self, position: float) -> int:
        """Return how many of its samples lie before a position of the tape."""
        return self.heard + sum(segment.sounded_by(position) for segment in self.laid)

    def take_back(self, position: int) -> None:
        """Take what lies from a position of the tape on off it; it waits again."""
        back = [self._unready] if len(self._unready) else []
        while self.laid and self.laid[-1].position + self.laid[-1].length > position:
            segment = self.laid.pop()
            kept = segment.sounded_by(position)
            back.append(segment.samples[kept:])
            if kept:
                self.laid.append(Segment(segment.position, position - segment.position, segment.samples[:kept]))
                break
        self.waiting.extendleft(back)
        self._unready = self._unready[:0]
        self._resampler = None

    def first_after(self, position: int) -> int | None:
        """Return where its first sound at or after a position of the tape lies; None if there is none."""
        for segment in self.laid:
            if segment.position + segment.length > position:
                return max(segment.position, position)
        return None
