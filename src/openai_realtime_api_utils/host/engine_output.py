"""Keep a loudspeaker supplied with a tape, and know what of it is at the converter."""

from __future__ import annotations

from ..audio.anchor import Anchor
from .ahead import Ahead
from .backend import OutputStream
from .sound_memory import SoundMemory
from .steadiness import Steadiness

_TOP_UP_S = 0.1
"""Silence is laid ahead in stretches of at least this."""
_BUFFER_BLOCKS = 3
"""What PortAudio's buffer on ALSA holds."""


class EngineOutput:
    """Run a loudspeaker from one position of the tape on, until it stops."""

    def __init__(self, memory: SoundMemory, stream: OutputStream, position: int, now: float) -> None:
        self.stream = stream
        self.anchor = Anchor(stream.rate)
        self.steadiness = Steadiness(now)
        self.ahead = Ahead(stream.rate, stream.block, now)
        self._memory = memory
        self._base = position
        self._top = position + memory.tape.size // 2
        self._runs = 0
        header = memory.header
        header.rate, header.block = stream.rate, stream.block
        header.head, header.head_time = position, now
        self._publish_zero()

    @property
    def head(self) -> int:
        """The first position that the device has not taken."""
        return self._base + self.stream.frames

    def step(self, now: float) -> None:
        """Tell the program where the present is, lay silence ahead, and measure."""
        header = self._memory.header
        frames = self.stream.frames
        head = self._base + frames
        header.head, header.head_time = head, now
        missing = head + self._memory.tape.size // 2 - self._top
        if missing > _TOP_UP_S * self.stream.rate:
            self._memory.tape.silence(self._top, missing)
            self.stream.extend(missing)
            self._top += missing
        self.steadiness.see(now, self.stream)
        self.ahead.see(now, frames)
        stamp = self.stream.stamp()
        if stamp is not None:
            if self.anchor.see(stamp):
                header.jumps += 1
            self.steadiness.stamped(now, in_doubt=self.anchor.is_in_doubt)
        self._publish_zero()
        if self.steadiness.is_probe_due(now):
            self.stream.probe()
        header.underruns += self.stream.runs - self._runs
        self._runs = self.stream.runs

    def position_to_go_on_from(self) -> int:
        """Return the position after the last that was heard: what the device took and never sounded is lost with it."""
        header = self._memory.header
        until = self.ahead.steady_at if self.ahead.is_running_away else self.steadiness.moved_at
        heard = int((until - header.zero_time) * self.stream.rate)
        return max(self._base, min(heard, self.head))

    def _publish_zero(self) -> None:
        """Tell the program when position 0 was heard; until that is measured, that what the buffer holds was not."""
        rate = self.stream.rate
        unheard_s = _BUFFER_BLOCKS * self.stream.block / rate
        zero = self.anchor.zero if self.anchor.is_known else unheard_s - self.ahead.least
        self._memory.header.zero_time = zero - self._base / rate
