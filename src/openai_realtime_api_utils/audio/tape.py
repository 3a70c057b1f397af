"""Say what sounds when: stretches of speech one after the other on a tape of sample positions.

The tape is told how far time has come (``run_to``) and says what sounded until then; changes are made between two
such calls and hold from the position reached. So the past never changes, what was heard is exact to the sample, and
silence costs nothing.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import AudioError
from .level import faded_in, faded_out

if TYPE_CHECKING:
    from ..ports import Samples


_INT16 = np.dtype(np.int16)


class Piece(NamedTuple):
    """Be a part of what sounded."""

    position: int
    """Where on the tape its first sample lies."""
    length: int
    samples: Samples | None
    """None is silence."""


@dataclass(eq=False)
class Stretch:
    """Be one stretch of speech on a tape; changed by its tape only."""

    heard: int = 0
    """How many of its samples have sounded. A fade-out after a cut does not count: it is there to hide the cut."""
    waiting: deque[Samples] = field(default_factory=deque["Samples"])
    """What has not sounded; all of an answer can wait here, and a session's token limit bounds it."""
    left: int = 0
    """How many samples wait."""
    is_finished: bool = False
    is_held: bool = False
    is_cancelled: bool = False
    fades_in_from: int | None = None
    """The sample at which it last came out of silence; None while it sounds from its beginning."""

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will sound any more."""
        return self.is_cancelled or (self.is_finished and not self.waiting)


class Tape:
    """Hold stretches in the order in which they sound, and what sounded last."""

    def __init__(self, *, keep: int, fade: int) -> None:
        """Make a tape.

        Args:
            keep: how many samples of the past are remembered, at least.
            fade: length in samples of a fade-out at a cut and of a fade-in after a hole.
        """
        self.head = 0
        """The present: every sample before this position has sounded."""
        self._keep = keep
        self._fade = fade
        self._queue: deque[Stretch] = deque()
        self._fading_out: Samples = np.zeros(0, np.int16)
        """What sounds for the length of a fade in place of what was silenced."""
        self._is_faded = True
        self._past: deque[Piece] = deque()

    def play(self) -> Stretch:
        """Put a new stretch behind the others."""
        stretch = Stretch()
        self._queue.append(stretch)
        return stretch

    def write(self, stretch: Stretch, samples: Samples) -> None:
        """Add sound to the end of a stretch; a cancelled one takes it and stays silent.

        Raises:
            AudioError: the stretch is finished.
        """
        if stretch.is_finished:
            raise AudioError(f"{len(samples)} samples were written to speech that is finished: write before finish().")
        if len(samples) and not stretch.is_cancelled:
            memory: object = samples.base
            if not isinstance(memory, bytes) or samples.dtype is not _INT16:
                samples = np.array(samples, np.int16)  # whoever wrote it may write over it
            stretch.waiting.append(samples)
            stretch.left += len(samples)

    def finish(self, stretch: Stretch) -> None:
        """Let the next stretch begin when this one is out."""
        stretch.is_finished = True

    def hold(self, stretch: Stretch) -> None:
        """Silence a stretch and those behind it, faded out; nothing of it is lost."""
        self._fade_out(stretch)
        stretch.is_held = True

    def go_on(self, stretch: Stretch) -> None:
        """Let a held stretch sound again, from the very sample and faded in."""
        if stretch.is_held:
            stretch.is_held = False
            self._silence_came(stretch)

    def cancel(self, stretch: Stretch) -> int:
        """Silence a stretch for good, faded out, and return how many of its samples have sounded."""
        self._fade_out(stretch)
        stretch.is_cancelled = True
        stretch.waiting.clear()
        stretch.left = 0
        return stretch.heard

    def run_to(self, position: int) -> list[Piece]:
        """Let time come to ``position`` and return what sounded meanwhile; the past is left alone."""
        pieces: list[Piece] = []
        while self.head < position:
            piece = self._sound(position - self.head)
            self.head += piece.length
            self._remember(piece)
            pieces.append(piece)
        return pieces

    def past(self, since: int) -> tuple[int, Samples]:
        """Return what sounded from ``since`` (or as far back as is remembered) to the present, and from where."""
        oldest = self._past[0].position if self._past else self.head
        start = min(max(since, oldest), self.head)
        sounded = np.zeros(self.head - start, np.int16)
        for position, length, samples in reversed(self._past):
            if position + length <= start:
                break  # what is asked for is mostly the latest
            if samples is not None:
                skipped = max(start - position, 0)
                sounded[position + skipped - start :][: length - skipped] = samples[skipped:]
        return start, sounded

    def _sound(self, limit: int) -> Piece:
        """Return what sounds next, no longer than ``limit``."""
        if len(self._fading_out):
            if not self._is_faded:  # only now, for whoever interrupts waits for the rest
                self._fading_out, self._is_faded = faded_out(self._fading_out), True
            out, self._fading_out = self._fading_out[:limit], self._fading_out[limit:]
            return Piece(self.head, len(out), out)
        while self._queue and self._queue[0].is_over:
            self._queue.popleft()
        current = self._queue[0] if self._queue else None
        if current is None or current.is_held:
            return Piece(self.head, limit, None)
        if not current.waiting:
            self._silence_came(current)
            return Piece(self.head, limit, None)
        chunk = current.waiting.popleft()
        if len(chunk) > limit:
            current.waiting.appendleft(chunk[limit:])
            chunk = chunk[:limit]
        shaped = self._shaped(current, chunk)
        current.heard += len(chunk)
        current.left -= len(chunk)
        return Piece(self.head, len(chunk), shaped)

    def _silence_came(self, stretch: Stretch) -> None:
        if stretch.heard:
            stretch.fades_in_from = stretch.heard

    def _shaped(self, stretch: Stretch, chunk: Samples) -> Samples:
        """Return the next samples of a stretch, faded in if it has just come out of silence."""
        if stretch.fades_in_from is None or stretch.heard - stretch.fades_in_from >= self._fade:
            return chunk
        return faded_in(chunk, self._fade, start=stretch.heard - stretch.fades_in_from)

    def _fade_out(self, stretch: Stretch) -> None:
        is_sounding = stretch.heard and stretch.waiting and not stretch.is_held
        if is_sounding and self._fade:
            ahead = stretch.waiting[0]
            for chunk in itertools.islice(stretch.waiting, 1, None):  # minutes may wait; a few samples are enough
                if len(ahead) >= self._fade:
                    break
                ahead = np.concatenate((ahead, chunk))
            self._fading_out, self._is_faded = self._shaped(stretch, ahead[: self._fade]), False

    def _remember(self, piece: Piece) -> None:
        last = self._past[-1] if self._past else None
        if piece.samples is None and last is not None and last.samples is None:
            self._past[-1] = Piece(last.position, last.length + piece.length, None)
        else:
            self._past.append(piece)
        while self._past[0].position + self._past[0].length <= self.head - self._keep:
            self._past.popleft()
