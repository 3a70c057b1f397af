"""Be the service for one connection that has speech translated while it goes on: its own events, no items, no turns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..audio.formats import PCM_24K
from .base_session import BaseSession, required
from .commands import Close, Finished, Forget, Hear, Listen, Overheard, Result, Thought, Understand, Understood
from .engine import RATE, Fail
from .ids import Ids
from .input_buffer import InputBuffer
from .interpreter import FRAME_MS, Interpreter
from .items import appended_audio
from .refusals import Refusal
from .settings import Settings
from .sound import Decoder
from .tokens import tokens
from .translation_config import default_translation_session, updated_translation
from .turn_detection import SpeechStarted, TurnDetector
from .vad import Vad, WebRtcVad

if TYPE_CHECKING:
    from ..ports import Samples

_FRAME = FRAME_MS * RATE // 1000
_PHRASES = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 400}
"""Where the stand-in takes a phrase to end. The service translates while somebody still speaks; an engine here is
given one phrase at a time."""
_LONGEST = 8 * RATE
"""Who speaks without a pause is translated in stretches of this length."""
_KEPT = 2 * RATE


class TranslationSession(BaseSession):
    """Hold a simulated translation session."""

    def __init__(
        self,
        *,
        now: float,
        created_at: int,
        settings: Settings | None = None,
        model: str | None = None,
        given: dict[str, Any] | None = None,
        ids: Ids | None = None,
        vad: Callable[[], Vad] = WebRtcVad,
    ) -> None:
        """Begin a session; the arguments are those of ``Session``.

        Raises:
            Refusal: ``given`` is refused.
        """
        super().__init__(now=now, settings=settings, ids=ids)
        self.config = default_translation_session(
            model, self._outbox.ids.new("sess"), created_at + int(self.settings.lifetime_s)
        )
        if given is not None:
            of_update = {name: value for name, value in given.items() if name not in ("type", "model")}
            self.config = updated_translation(self.config, of_update)
        self._make_vad = vad
        self._decoder = Decoder(PCM_24K)
        self._detector: TurnDetector | None = None
        self._rest: Samples = np.zeros(0, np.int16)
        self._buffer = InputBuffer()
        self._phrase: str | None = None
        """The id under which the engine listens to the phrase under way."""
        self._phrase_start = 0
        self._heard_to = 0
        self._told: dict[str, str] = {}
        """What the client was told of each phrase that is not understood to its end yet."""
        self._is_closing = False
        self._interpreter = Interpreter(self.settings, self._outbox, self._timeline, lambda: self._elapsed_ms)
        self.handlers = {
            "session.update": self._update_session,
            "session.input_audio_buffer.append": self._append,
            "session.close": self._close,
        }
        self._outbox.event("session.created", session=self.config)

    def feed(self, result: Result, now: float) -> None:
        self.advance(now)
        match result:
            case Overheard():
                if result.item_id in self._told:
                    self._tell_heard(result.item_id, result.text)
            case Understood():
                self._understood(result.item_id, result.transcript)
            case Thought():
                failure = self._interpreter.take(result.response_id, result.thought, result.samples, now)
                if failure is not None:
                    self._fail(failure)
            case Finished():
                self._interpreter.finish(result.response_id)
        self._close_when_done(now)

    def busy_until(self, response_id: str) -> float | None:
        return self._interpreter.busy_until(response_id)

    @property
    def _elapsed_ms(self) -> int:
        return self._buffer.end * 1000 // RATE

    def _update_session(self, event: dict[str, Any], now: float) -> None:
        self.config = updated_translation(self.config, required(event, "session"))
        self._outbox.event("session.updated", session=self.config)

    def _append(self, event: dict[str, Any], now: float) -> None:
        data = appended_audio(event)
        if self._is_closing:
            raise Refusal("The session is closing: append no more audio.", code="invalid_event")
        samples = np.concatenate((self._rest, self._decoder.feed(data)))
        whole = len(samples) // _FRAME * _FRAME
        self._rest = samples[whole:]
        for at in range(0, whole, _FRAME):
            self._hear(samples[at : at + _FRAME])

    def _hear(self, frame: Samples) -> None:
        detector = self._detector
        if detector is None:
            detector = self._detector = TurnDetector(self._make_vad(), _PHRASES, position=0)
        self._buffer.append(frame)
        for signal in detector.push(frame):
            if isinstance(signal, SpeechStarted):
                self._begin_phrase(signal.at)
            else:
                self._end_phrase(signal.at)
        if self._phrase is None:
            self._buffer.drop_before(self._buffer.end - _KEPT)
            return
        self._listen_to(self._buffer.end)
        if self._buffer.end - self._phrase_start >= _LONGEST:
            self._end_phrase(self._buffer.end)
            self._begin_phrase(self._buffer.end)

    def _begin_phrase(self, start: int) -> None:
        self._phrase = self._outbox.ids.new("item")
        self._phrase_start = self._heard_to = start
        self._told[self._phrase] = ""
        self._outbox.command(Listen(self._phrase))

    def _end_phrase(self, end: int) -> None:
        if self._phrase is None:
            return
        self._listen_to(end)
        if self._heard_to > self._phrase_start:
            self._outbox.command(Understand(self._phrase))
        else:
            del self._told[self._phrase]
            self._outbox.command(Forget(self._phrase))
        self._phrase = None
        self._buffer.drop_before(end)

    def _listen_to(self, end: int) -> None:
        if self._phrase is not None and end > self._heard_to:
            self._outbox.command(Hear(self._phrase, self._buffer.between(self._heard_to, end)))
            self._heard_to = end

    def _understood(self, item_id: str, transcript: str | Fail) -> None:
        if item_id not in self._told:
            return
        said = "" if isinstance(transcript, Fail) else transcript.strip()
        told = self._told[item_id].strip()
        if said.startswith(told):
            self._tell_heard(item_id, said[len(told) :])
        del self._told[item_id]
        if isinstance(transcript, Fail):
            self._fail(transcript)
        elif said:
            self._interpreter.translate(item_id, said, self.config["audio"]["output"]["language"])

    def _tell_heard(self, item_id: str, text: str) -> None:
        """Send what was heard, where the session asks for that; phrases are kept apart by a space."""
        told = self._told[item_id]
        self._told[item_id] = told + text
        if self.config["audio"]["input"]["transcription"] is None:
            return
        is_first = not told and text and not text[0].isspace() and self._phrase_start > 0
        for piece in tokens(f" {text}" if is_first else text):
            self._outbox.event("session.input_transcript.delta", delta=piece, elapsed_ms=self._elapsed_ms)

    def _fail(self, failure: Fail) -> None:
        error = {
            "type": "server_error",
            "code": failure.code,
            "message": failure.message,
            "param": None,
            "event_id": None,
        }
        self._outbox.event("error", error=error)

    def _close(self, event: dict[str, Any], now: float) -> None:
        """Translate what came so far, and close when that is out."""
        if self._is_closing:
            return
        self._is_closing = True
        if len(self._rest):
            self._hear(np.concatenate((self._rest, np.zeros(_FRAME - len(self._rest), np.int16))))
        self._end_phrase(self._buffer.end)
        self._close_when_done(now)

    def _close_when_done(self, now: float) -> None:
        if self._is_closing and not self._told and not self._interpreter.is_busy:
            self._timeline.at(max(now, self._interpreter.free_at), "close", self._closed)

    def _closed(self, _now: float) -> None:
        self._timeline.drop("close")
        self._outbox.event("session.closed")
        self._outbox.command(Close(1000, ""))
