"""Sound speech on a tape as the clock goes: the loudspeaker behind the one in memory and the one in a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..clock import Clock
from ..errors import require
from ..ports import Frame, Heard, SpeechId

if TYPE_CHECKING:
    from ..audio.tape import Piece, Stretch, Tape
    from ..ports import Samples

_NEAR = 1e-3
"""Part of a sample by which a time may fall short of one: clocks count in floats."""


class TapeSpeaker:
    """Be a loudspeaker without a device. Nothing runs by itself: each call first lets the tape come to the present."""

    def __init__(
        self, clock: Clock, rate: int, *, keep_s: float, on_sounded: Callable[[Piece], Any] | None = None
    ) -> None:
        """Make a loudspeaker whose time begins now.

        Args:
            clock: tells how much has sounded.
            rate: samples per second that playbacks take.
            keep_s: how much of the past ``played`` remembers, in seconds.
            on_sounded: called with everything that sounded, in order, silence included.

        Raises:
            MissingExtraError: numpy is not installed.
        """
        require("numpy", extra="audio", needed_by=type(self).__name__)
        from ..audio.level import FADE_S
        from ..audio.tape import Tape

        self.rate = rate
        self._clock = clock
        self._start = clock.now()
        self._tape = Tape(keep=round(keep_s * rate), fade=round(FADE_S * rate))
        self._on_sounded = on_sounded

    def play(self, speech_id: SpeechId) -> TapePlayback:
        return TapePlayback(self, self.come_to_present().play())

    def played(self, since: float) -> Frame:
        position, samples = self.come_to_present().past(self._position(since))
        return Frame(samples, self.time_of(position))

    def come_to_present(self) -> Tape:
        """Let sound what was due by now, and return the tape."""
        for piece in self._tape.run_to(self._position(self._clock.now())):
            if self._on_sounded is not None:
                self._on_sounded(piece)
        return self._tape

    def write(self, stretch: Stretch, samples: Samples) -> None:
        """Add sound to the end of a stretch."""
        # While some of it is left to sound, whenever that is, it makes no difference when the tape is told the time.
        is_dry = self._position(self._clock.now()) >= self._tape.head + stretch.left
        tape = self.come_to_present() if is_dry or self._on_sounded is not None else self._tape
        tape.write(stretch, samples)

    def time_of(self, position: int) -> float:
        """Return when a position of the tape is at the converter, in seconds of the clock."""
        return self._start + position / self.rate

    def _position(self, t: float) -> int:
        return int((t - self._start) * self.rate + _NEAR)


class TapePlayback:
    """Be one stretch of speech on a ``TapeSpeaker``."""

    def __init__(self, speaker: TapeSpeaker, stretch: Stretch) -> None:
        self._speaker = speaker
        self._stretch = stretch

    def write(self, samples: Samples) -> None:
        self._speaker.write(self._stretch, samples)

    def finish(self) -> None:
        self._speaker.come_to_present().finish(self._stretch)

    def hold(self) -> None:
        self._speaker.come_to_present().hold(self._stretch)

    def go_on(self) -> None:
        self._speaker.come_to_present().go_on(self._stretch)

    def cancel(self) -> Heard:
        tape = self._speaker.come_to_present()
        return Heard(tape.cancel(self._stretch), self._speaker.time_of(tape.head))

    def heard(self) -> Heard:
        tape = self._speaker.come_to_present()
        return Heard(self._stretch.heard, self._speaker.time_of(tape.head))
