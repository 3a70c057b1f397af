"""Speak through a sound engine: lay speech on its tape, cut it, read what was heard; no message, and no wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..audio.level import FADE_S, faded_in
from ..audio.resample import resample
from ..clock import Clock
from ..errors import AudioError
from ..ports import Frame, Heard, SpeechId
from .laid_speech import Segment, Stretch
from .sound_memory import RATE, SoundMemory

if TYPE_CHECKING:
    from ..ports import Samples

MARGIN_S = 0.02
"""How far ahead of the device speech is laid at least: it takes two blocks in a row at times."""

_PIPELINE_S = 0.025
"""How long sound takes from the tape to the converter, about (23 to 28 ms measured)."""
_STALE_S = 0.25
"""How long the device may run on although the engine has not looked: what it may take by then is not laid on."""
_STANDS_S = 0.05
"""How long it is believed to run on: longer, and its engine has died."""
_FRESH_S = 0.005
"""By how much less the device may have taken than time went by since it was looked at: a block."""
_PIECE_S = 0.5
"""Speech is laid in pieces of this length at most, so that a cut gives back little at a time."""
_KEPT_CLEAR_S = 1.0
"""What is left free of the tape ahead, and of the past that is read."""


class HostSpeaker:
    """Be the loudspeaker of a sound engine. Use it on one event loop; call ``look`` now and then."""

    def __init__(self, memory: SoundMemory, clock: Clock, attach: Callable[[], None] = lambda: None) -> None:
        """Use the memory of an engine; ``attach`` is called where an event loop runs that can call ``look``."""
        self.rate = RATE
        self.lead_s = MARGIN_S + _PIPELINE_S
        """How much earlier than it sounds speech must be written to join on to what is before it."""
        self.is_silenced = False
        """Whether the engine has silenced the tape by itself, and nobody has taken that over."""
        self._memory = memory
        self._clock = clock
        self._attach = attach
        self._queue: deque[Stretch] = deque()
        self._layouts = memory.header.layouts
        self._heard_to = 0.0

    def play(self, speech_id: SpeechId) -> HostPlayback:
        self._attach()
        stretch = Stretch(self.rate)
        self._queue.append(stretch)
        return HostPlayback(self, stretch)

    def played(self, since: float) -> Frame:
        header, tape = self._memory.header, self._memory.tape
        end = int(self.heard_to())
        oldest = header.head - tape.size // 2 + round(_KEPT_CLEAR_S * header.rate)
        start = min(max(round((since - header.zero_time) * header.rate), oldest, 0), end)
        sound = resample(tape.read(start, end - start), header.rate, self.rate)
        return Frame(sound, header.zero_time + start / header.rate)

    def heard_to(self) -> float:
        """Return the position of the tape that is at the converter; it never goes back."""
        header = self._memory.header
        self._see_holds()
        if header.is_running:
            now = self._clock.now()
            by_clock = (now - header.zero_time) * header.rate
            self._heard_to = max(self._heard_to, min(by_clock, self._taken_by(now, _STANDS_S)))
        return self._heard_to

    def look(self) -> None:
        """See what the engine has done by itself, and lay what has room by now."""
        header = self._memory.header
        if header.layouts != self._layouts:
            self._layouts = header.layouts
            self._take_back(header.head)
        heard_to = self.heard_to()
        for stretch in self._queue:
            stretch.settle(heard_to)
        while self._queue and self._queue[0].is_laid and not self._queue[0].laid:
            self._queue.popleft()
        self._lay()

    def release(self) -> None:
        """Take over from the engine, which silenced the tape by itself: what is not held now sounds again."""
        if self.is_silenced:
            self.is_silenced = False
            self._memory.header.releases = self._memory.header.holds
            self._lay()

    def write(self, stretch: Stretch, samples: Samples) -> None:
        """Add sound to a stretch."""
        if stretch.is_finished:
            raise AudioError(f"{len(samples)} samples were written to speech that is finished: write before finish().")
        if not stretch.is_cancelled:
            piece = round(_PIECE_S * self.rate)
            copied = np.array(samples, np.int16)
            stretch.waiting.extend(copied[n : n + piece] for n in range(0, len(copied), piece))
            self.look()

    def cut(self, stretch: Stretch) -> float:
        """Take a stretch and those behind it off the tape; return the time at which it falls silent."""
        self.look()
        at = self._cut_position()
        first = stretch.first_after(at)
        if first is not None:
            header, tape = self._memory.header, self._memory.tape
            begun = stretch.laid[0].position < first
            # The device may have taken a block since it was looked at: the fade is as much longer.
            fade = min(round(FADE_S * header.rate) + header.block, header.written - first) if begun else 0
            tape.fade_out(first, fade)
            tape.silence(first + fade, max(0, header.written - first - fade))
            header.written = first + fade
            self._take_back(first)
        return self._time_of(at if first is None else first)

    def heard(self, stretch: Stretch) -> Heard:
        """Return how much of a stretch was heard; of one that was cut, what will have been when it is silent."""
        heard_to = self.heard_to()
        stretch.settle(heard_to)
        if stretch.is_cancelled:
            end = stretch.laid[-1].position + stretch.laid[-1].length if stretch.laid else heard_to
            return Heard(stretch.heard_by(end), self._time_of(end))
        return Heard(stretch.heard_by(heard_to), self._time_of(heard_to))

    def _take_back(self, position: int) -> None:
        header = self._memory.header
        for stretch in self._queue:
            stretch.take_back(position)
        header.written = min(header.written, position + round(FADE_S * header.rate) + header.block)

    def _lay(self) -> None:
        header = self._memory.header
        if self.is_silenced or not header.rate:
            return
        limit = header.head + self._memory.tape.size // 2 - round(_KEPT_CLEAR_S * header.rate)
        for stretch in self._queue:
            if stretch.is_cancelled:
                continue
            if stretch.is_held:
                return
            if header.written < limit:
                for source, sound in stretch.prepared(header.rate):
                    self._put(stretch, source, sound)
                    if header.written >= limit:
                        return
            if not stretch.is_laid:
                return

    def _put(self, stretch: Stretch, source: Samples, sound: Samples) -> None:
        header = self._memory.header
        soonest = int(self._taken_by(self._clock.now(), _STALE_S)) + round(MARGIN_S * header.rate)
        position = max(header.written, soonest)
        fade = round(FADE_S * header.rate)
        if position > header.written and stretch.is_begun:
            stretch.fades_in_from = position
        start = None if stretch.fades_in_from is None else position - stretch.fades_in_from
        holds = header.holds
        self._memory.tape.write(position, sound if start is None or start >= fade else faded_in(sound, fade, start))
        header.written = position + len(sound)
        stretch.laid.append(Segment(position, len(sound), source))
        if header.holds != holds:
            self.look()  # the engine silenced the tape at this very moment; it does so with this, too

    def _see_holds(self) -> None:
        """Take back what the engine has silenced by itself: it is not heard."""
        header = self._memory.header
        if header.holds != header.releases and not self.is_silenced:
            self.is_silenced = True
            self._take_back(header.held_at)

    def _taken_by(self, now: float, longest_s: float) -> float:
        """Return the position up to which the device may have taken the tape by now."""
        header = self._memory.header
        since = min(max(now - header.head_time, 0.0), longest_s) if header.is_running else 0.0
        return header.head + since * header.rate

    def _cut_position(self) -> int:
        """Return the position from which on the device has not taken the tape."""
        header = self._memory.header
        since = min(max(self._clock.now() - header.head_time - _FRESH_S, 0.0), _STALE_S) if header.is_running else 0.0
        return header.head + round(since * header.rate)

    def _time_of(self, position: float) -> float:
        return self._memory.header.zero_time + position / (self._memory.header.rate or self.rate)


class HostPlayback:
    """Be one stretch of speech on a ``HostSpeaker``."""

    def __init__(self, speaker: HostSpeaker, stretch: Stretch) -> None:
        self._speaker = speaker
        self._stretch = stretch

    def write(self, samples: Samples) -> None:
        self._speaker.write(self._stretch, samples)

    def finish(self) -> None:
        self._stretch.is_finished = True
        self._speaker.look()

    def hold(self) -> None:
        if not self._stretch.is_held:
            self._speaker.cut(self._stretch)
            self._stretch.is_held = True

    def go_on(self) -> None:
        if self._stretch.is_held:
            self._stretch.is_held = False
            self._speaker.look()

    def cancel(self) -> Heard:
        if not self._stretch.is_cancelled:
            self._speaker.cut(self._stretch)
            self._stretch.is_cancelled = True
            self._stretch.waiting.clear()
            self._speaker.look()
        return self._speaker.heard(self._stretch)

    def heard(self) -> Heard:
        return self._speaker.heard(self._stretch)
