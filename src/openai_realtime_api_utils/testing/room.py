"""Talk in a room in memory, with whoever has its microphone and its loudspeaker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..clock import Clock
from ..host.room import Room
from ..ports import Frame, Heard, Playback, SpeechId
from ..simulator.synthetic import synthetic_speech
from .listener import RoomListener

if TYPE_CHECKING:
    from ..ports import Samples

RATE = 24_000
_TURN_S = 1.0
"""How long before its begin is noticed an utterance may have begun, with its padding."""
_OPENS_WITHIN_S = 1.0
_LOOK_S = 0.02


@dataclass(frozen=True)
class Said:
    """Be something that was said aloud, and when."""

    words: list[str]
    start: float
    end: float

    def words_between(self, since: float, until: float) -> list[str]:
        """Return the words that ended after ``since`` and by ``until``; they are all of one length."""
        each = (self.end - self.start) / len(self.words)
        return [word for n, word in enumerate(self.words, 1) if since < self.start + n * each <= until + each / 100]


@dataclass
class Sounding:
    """Be one stretch of speech on the loudspeaker."""

    speech_id: SpeechId
    playback: Playback
    written: int = 0
    is_cancelled: bool = False

    @property
    def heard_s(self) -> float:
        return self.playback.heard().samples / RATE

    @property
    def is_audible(self) -> bool:
        """Whether some of it is still to sound."""
        return not self.is_cancelled and self.playback.heard().samples < self.written


class TalkingRoom:
    """Be the room of a test: a loudspeaker, a microphone that hears it, and a user who speaks."""

    def __init__(
        self, clock: Clock, *, delay_ms: float, gain: float, noise: float, plug_in: Callable[[], None]
    ) -> None:
        """Make a room.

        Args:
            clock: what time in it goes by.
            delay_ms: as in ``host.room.Room``.
            gain: the same.
            noise: the same.
            plug_in: is called when something is to be said, and nobody has opened the microphone.
        """
        self._clock = clock
        self._plug_in = plug_in
        self._room = Room(clock, delay_ms=delay_ms, gain=gain, noise=noise, rate=RATE)
        self.microphone = self._room.microphone
        """What an application listens to."""
        self.speaker = RoomSpeaker(self._room)
        """What an application speaks through."""
        self.said: list[Said] = []
        self.understood: list[str] = []
        """What the service understood, utterance by utterance."""
        self._heard_until = clock.now()

    @property
    def is_user_speaking(self) -> bool:
        return self.microphone.said_until > self._clock.now()

    async def say(self, text: str, samples: Samples | None = None) -> None:
        """Say something aloud, and wait until it is out.

        Args:
            text: what is said, and what the scripted service understands.
            samples: how it sounds, int16 at 24 kHz; a synthetic voice by default.

        Raises:
            AssertionError: there is no session that could hear it.
        """
        if not await self._somebody_listens():
            self._plug_in()
        sound = synthetic_speech(text) if samples is None else samples
        start = max(self._clock.now(), self.microphone.said_until)
        self._room.say(sound)
        words = text.split()
        if words:
            self.said.append(Said(words, start, self.microphone.said_until))
        await self._clock.sleep_until(self.microphone.said_until)

    def listen(self) -> RoomListener:
        """Begin to understand an utterance."""
        since = self._clock.now() - _TURN_S

        def words_by_now() -> list[str]:
            start, now = max(since, self._heard_until), self._clock.now()
            return [word for said in self.said for word in said.words_between(start, now)]

        def on_heard(text: str) -> None:
            self._heard_until = self._clock.now()
            self.understood.append(text)

        return RoomListener(words_by_now, on_heard)

    async def _somebody_listens(self) -> bool:
        """Tell whether the microphone is open; an application has a little time to open it."""
        until = self._clock.now() + _OPENS_WITHIN_S
        while not self.microphone.is_open and self._clock.now() < until:
            await self._clock.sleep_until(self._clock.now() + _LOOK_S)
        return self.microphone.is_open


class RoomSpeaker:
    """Be the loudspeaker of a room, and know what was played on it."""

    rate = RATE

    def __init__(self, room: Room) -> None:
        self._speaker = room.speaker
        self.soundings: list[Sounding] = []
        """What was played, in order of its beginning."""

    def play(self, speech_id: SpeechId) -> RoomPlayback:
        sounding = Sounding(speech_id, self._speaker.play(speech_id))
        self.soundings.append(sounding)
        return RoomPlayback(sounding)

    def played(self, since: float) -> Frame:
        return self._speaker.played(since)

    def sounded(self) -> Samples:
        """Return all that sounded until now, silence included, as far as it is remembered."""
        return self._speaker.sounded()


class RoomPlayback:
    """Be one stretch of speech, and note what becomes of it."""

    def __init__(self, sounding: Sounding) -> None:
        self._sounding = sounding

    def write(self, samples: Samples) -> None:
        self._sounding.written += len(samples)
        self._sounding.playback.write(samples)

    def finish(self) -> None:
        self._sounding.playback.finish()

    def hold(self) -> None:
        self._sounding.playback.hold()

    def go_on(self) -> None:
        self._sounding.playback.go_on()

    def cancel(self) -> Heard:
        self._sounding.is_cancelled = True
        return self._sounding.playback.cancel()

    def heard(self) -> Heard:
        return self._sounding.playback.heard()
