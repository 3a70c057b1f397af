"""Bring one stretch of speech from a session's bytes to a loudspeaker, and know how far it was heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..audio.formats import AudioFormat
from ..audio.pcm import Decoder
from ..audio.resample import Resampler
from ..ports import Speaker, SpeechId
from ..state.cushion import Arrivals, Cushion
from ..state.playhead import Cut, Playhead

if TYPE_CHECKING:
    from ..ports import Samples

_JOINED_S = 0.001
"""What comes within this of the end of what was there is joined on."""


class Speech:
    """Be one stretch of speech of the assistant on its way out."""

    def __init__(
        self,
        speech_id: SpeechId,
        response_id: str | None,
        audio_format: AudioFormat,
        speaker: Speaker,
        cushion: Cushion,
    ) -> None:
        self.id = speech_id
        self.response_id = response_id
        self.is_finished = False
        """Whether all of it was received."""
        self.is_cut = False
        self._rate = speaker.rate
        self._format_rate = audio_format.rate
        self._decoder = Decoder(audio_format)
        self._resampler = Resampler(audio_format.rate, speaker.rate)
        self._playback = speaker.play(speech_id)
        self._playhead = Playhead(audio_format.rate)
        self._new_samples = 0  # received since the playhead was last asked for
        self._new_words: list[str] = []
        self._cushion = cushion
        self._arrivals = Arrivals()
        self._needed_ms = cushion.start_ms
        self._waiting: list[Samples] = []
        self._ready = 0
        self._written = 0
        self._is_flowing = False
        self._dry_at = 0.0
        self._lead_s = float(getattr(speaker, "lead_s", 0.0))
        self._has_ended = False

    @property
    def playhead(self) -> Playhead:
        """How far it has been heard by now."""
        self._note_new()
        if not self.is_cut:
            self._playhead = self._playhead.hear(self._playback.heard().samples, rate=self._rate)
        return self._playhead

    @property
    def heard_s(self) -> float:
        """How much of it has been heard by now, in seconds."""
        return self.playhead.heard / self.playhead.rate

    @property
    def left(self) -> int:
        """How much of what was received has not sounded, in samples of the loudspeaker."""
        return 0 if self._has_ended else self._ready - self._playback.heard().samples

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will sound any more."""
        self._has_ended = self._has_ended or (self.is_finished and self.left <= 0)
        return self._has_ended

    @property
    def is_empty(self) -> bool:
        """Whether no sound of it was received."""
        return self._ready == 0

    @property
    def is_audible(self) -> bool:
        """Whether it has the floor: some of it was received, and it is not over."""
        return not self.is_empty and not self.is_over

    def tell(self, text: str) -> None:
        """Take some of its words."""
        self._new_words.append(text)

    def receive(self, data: bytes, now: float) -> Samples:
        """Take some of its sound, and return it decoded; what comes after a cut or the end is not played."""
        samples = self._decoder.feed(data)
        received = len(samples)
        self._new_samples += received
        if not self.is_cut and not self.is_finished:
            self._arrivals.came(now, received / self._format_rate)
            self._add(self._resampler.process(samples), now)
        return samples

    def finish(self, now: float) -> None:
        """Play what is there to its end: nothing more comes."""
        if self.is_cut or self.is_finished:
            return
        self.is_finished = True
        self._cushion.learn(self._arrivals)
        self._add(self._resampler.finish(), now)
        self._playback.finish()

    def hold(self) -> None:
        """Fall silent for the moment."""
        self._playback.hold()

    def go_on(self) -> None:
        """Resume at the very sample."""
        self._playback.go_on()

    def cut(self) -> Cut:
        """Fall silent for good, and say how far it was heard."""
        heard = self._playback.cancel()
        self._note_new()
        self._playhead = self._playhead.hear(heard.samples, rate=self._rate)
        self.is_cut = self._has_ended = True
        self._waiting.clear()
        return Cut(self.id, self._playhead.heard_ms, self._playhead.received_ms, self.response_id)

    def _note_new(self) -> None:
        """Bring the playhead up to what was received: it is asked for less often than something comes."""
        if self._new_samples or self._new_words:
            self._playhead = self._playhead.receive(self._new_samples).tell("".join(self._new_words))
            self._new_samples = 0
            self._new_words.clear()

    def _add(self, samples: Samples, now: float) -> None:
        added = len(samples)
        self._ready += added
        if self._is_flowing:
            if self.is_finished or now <= self._dry_at + _JOINED_S or not self._ran_dry(now):
                self._playback.write(samples)
                self._written += added
                self._dry_at += added / self._rate
                return
            self._is_flowing = False
            self._cushion.underruns += 1
            self._needed_ms = self._arrivals.after_dry_ms
        self._waiting.append(samples)
        # Speech that starts, or has run dry, waits for more than one piece, so that it does not stutter.
        if self.is_finished or self._ready - self._written >= self._rate * self._needed_ms / 1000:
            for chunk in self._waiting:
                self._playback.write(chunk)
            self._waiting.clear()
            self._written = self._ready
            self._is_flowing = True
            self._dry_at = self._dry_after(self._playback.heard().samples, now)

    def _ran_dry(self, now: float) -> bool:
        """Whether the loudspeaker has nothing left: what came too late for it, it cannot join on."""
        heard = self._playback.heard().samples
        if heard + self._lead_s * self._rate >= self._written:
            return True
        self._dry_at = self._dry_after(heard, now)  # it was held, or waited for other speech
        return False

    def _dry_after(self, heard: int, now: float) -> float:
        """Return when, at the earliest, the loudspeaker will have nothing left of what is written."""
        return now + (self._written - heard) / self._rate - self._lead_s
