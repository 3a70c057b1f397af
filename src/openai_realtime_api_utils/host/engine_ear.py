"""Clean the microphone of what the loudspeaker sounds, pass it on, and listen for talk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..audio.alignment import LEAD_S, Alignment
from ..audio.echo import Cleaner
from ..audio.echo_lag import EchoLag
from ..audio.echo_leak import EchoLeak
from ..audio.level import FADE_S
from ..audio.resample import Resampler
from .engine_input import EngineInput
from .engine_outlet import EngineOutlet
from .engine_output import EngineOutput
from .sound_memory import RATE, RECORD, SoundMemory

if TYPE_CHECKING:
    from ..ports import Samples

_DEAF_S = 1.0
"""How long nothing is taken for talk after the streams moved against each other: the canceller lets echo through."""
_ADAPTING_S = 3.0
"""How long after the canceller was settled a voice has to be louder to be told from echo."""


class EngineEar:
    """Listen through one microphone while one loudspeaker sounds."""

    def __init__(
        self,
        memory: SoundMemory,
        output: EngineOutput,
        input: EngineInput,  # noqa: A002 - the word for it
        cleaner: Cleaner | None,
        outlet: EngineOutlet,
    ) -> None:
        self._memory = memory
        self._output = output
        self._input = input
        self._cleaner = cleaner
        if cleaner is not None:
            cleaner.unsettle()  # these devices may be others than before
        self._outlet = outlet
        self._alignment: Alignment | None = None
        self._lag = EchoLag()
        self._leak = EchoLeak()
        self._adapted_at = 0.0
        self._far = _FarEnd(memory, output.stream.rate)

    def step(self, now: float, *, is_measured: bool) -> list[str]:
        """Take what the microphone has heard; return what the user should be told.

        Args:
            now: the time.
            is_measured: whether the microphone's time was measured anew.
        """
        if is_measured or self._alignment is None:
            self._align(now)
        had_fault = self._cleaner is not None and self._cleaner.fault is not None
        for time, lost, near in self._input.take_frames():
            self._outlet.put(time, lost, self._cleaned(near, now), self._hold, self._may_be_voice)
        self._outlet.be_silent(now)
        self._keep_holding()
        if self._alignment is not None:
            self._memory.header.slips = self._alignment.slips
            self._memory.header.resets = self._alignment.resets
        if self._cleaner is None or self._cleaner.fault is None or had_fault:
            return []
        return [
            f"The echo canceller failed ({self._cleaner.fault}); from here on the microphone is silent while the "
            "loudspeaker sounds (half duplex)."
        ]

    def _align(self, now: float) -> None:
        """Measure where on the tape the microphone's first sample lies; earlier by a lead."""
        if not (self._input.anchor.is_known and self._output.anchor.is_known):
            return
        header = self._memory.header
        if self._alignment is None:
            self._alignment = Alignment(header.rate)
        resets = self._alignment.resets
        wanted = (self._input.anchor.zero + LEAD_S - header.zero_time) * header.rate
        self._alignment.measure(now, wanted, is_echo_known=self._lag.is_known)
        if self._alignment.resets != resets:
            self._lag.forget()
            self._outlet.be_deaf(_DEAF_S)
            if self._cleaner is not None:
                self._cleaner.unsettle()

    def _may_be_voice(self) -> bool:
        """Whether what was heard last may be somebody's voice, and not echo that the canceller let through."""
        return self._cleaner is None or (self._leak.may_be_voice and not self._lag.is_echo())

    def _cleaned(self, near: Samples, now: float) -> Samples:
        if self._cleaner is None:
            return near
        if self._alignment is None:
            # Nobody knows yet what the loudspeaker sounded when this was heard, if it has sounded at all.
            return near * 0 if self._output.stream.frames else near
        header = self._memory.header
        far = self._far.read(self._alignment.offset(now), self._input.frames - 1)
        clean = self._cleaner.process(near, far)
        self._alignment.slip(-self._lag.hear(near, far) * max(1, round(header.rate / RATE)))
        if not self._cleaner.is_settled:
            self._adapted_at = now + _ADAPTING_S
        self._leak.hear(near, far, clean, is_adapting=now < self._adapted_at)
        header.is_settled = self._cleaner.is_settled
        header.is_half_duplex = self._cleaner.is_half_duplex
        return clean

    def _hold(self) -> None:
        """Silence what is laid, if the program wants that: it may be stalled itself. It lays it again from there."""
        header, tape = self._memory.header, self._memory.tape
        head = self._output.head
        if not header.may_hold or header.written <= head:
            return
        fade = min(round(FADE_S * header.rate) + header.block, header.written - head)
        tape.fade_out(head, fade)
        tape.silence(head + fade, header.written - head - fade)
        header.held_at = head
        header.holds += 1

    def _keep_holding(self) -> None:
        """Silence what the program has laid before it noticed."""
        header = self._memory.header
        if header.holds != header.releases:
            start = max(self._output.head, header.held_at + round(FADE_S * header.rate) + header.block)
            self._memory.tape.silence(start, max(0, header.written - start))


class _FarEnd:
    """Read what the loudspeaker sounds, a frame for each of the microphone's, at the microphone's rate."""

    _PRIMED = 48
    """Samples of silence before the first: more than the resampler holds back, so that no frame comes short."""

    def __init__(self, memory: SoundMemory, rate: int) -> None:
        self._memory = memory
        self._frame = rate // 100
        self._resampler = Resampler(rate, RATE)
        self._ready = np.zeros(0 if rate == RATE else self._PRIMED, np.int16)

    def read(self, offset: int, number: int) -> Samples:
        """Return the far end of the microphone's frame ``number``, at an offset in samples of the tape."""
        fresh = self._memory.tape.read(number * self._frame + offset, self._frame)
        ready = np.concatenate((self._ready, self._resampler.process(fresh)))
        self._ready = ready[RECORD:]
        return ready[:RECORD]
