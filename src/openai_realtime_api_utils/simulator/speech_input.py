"""Take the user's sound in: the buffer, where turns begin and end, and the items that turns become."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..audio.formats import format_of
from .conversation import Conversation, Entry
from .engine import RATE
from .hearing import Hearing
from .input_buffer import InputBuffer
from .outbox import Outbox
from .refusals import Refusal
from .sound import Decoder
from .turn_detection import SpeechStarted, TurnDetector, in_ms
from .vad import Vad

if TYPE_CHECKING:
    from ..ports import Samples

_LEAST_COMMIT = RATE // 10
"""100 ms (reported and measured)."""
_LATE_REFUSAL_S = 0.8
"""A commit of too little is refused this much later, after the answers to what was sent since (measured)."""
_QUIET_KEPT = 30 * RATE
"""How much sound a session with turn detection keeps while nobody speaks; a turn takes its padding from it."""


class SpeechInput:
    """Be the input audio buffer of a session."""

    def __init__(
        self,
        config: dict[str, Any],
        *,
        vad: Callable[[], Vad],
        conversation: Conversation,
        hearing: Hearing,
        outbox: Outbox,
        on_speech: Callable[[float], None],
        on_turn: Callable[[float], None],
    ) -> None:
        self._make_vad = vad
        self._conversation = conversation
        self._hearing = hearing
        self._outbox = outbox
        self._on_speech = on_speech
        self._on_turn = on_turn
        self._buffer = InputBuffer()
        self._decoder = Decoder(format_of(config["format"]))
        self._detector: TurnDetector | None = None
        self._item_id: str | None = None
        """The item that the utterance under way will be."""
        self._turn_start = 0
        self._heard_to = 0
        self.configure(config)

    @property
    def position(self) -> int:
        """Return how many samples were ever appended."""
        return self._buffer.end

    @property
    def is_speaking(self) -> bool:
        return self._detector is not None and self._detector.is_speaking

    def configure(self, config: dict[str, Any]) -> None:
        """Take over the ``audio.input`` of a session's configuration."""
        self._config = config
        audio_format = format_of(config["format"])
        if audio_format != self._decoder.format:
            self._decoder = Decoder(audio_format)
        detection = config["turn_detection"]
        if detection is None:
            self._detector = None
        elif self._detector is not None:
            self._detector.configure(detection)

    def append(self, data: bytes, now: float) -> None:
        """Take more sound in the session's format."""
        self.hear(self._decoder.feed(data), now)

    def hear(self, samples: Samples, now: float) -> None:
        """Take more sound, and do what turn detection makes of it."""
        self._buffer.append(samples)
        if self._config["turn_detection"] is None:
            if self._item_id is None:
                self._begin(self._outbox.ids.new("item"), self._buffer.start)
            self._hear(self._buffer.end)
            return
        for signal in self._detecting(self._buffer.end - len(samples)).push(samples):
            if isinstance(signal, SpeechStarted):
                self._start_turn(signal.at, now)
            else:
                self._end_turn(signal.at, now)
        if self._item_id is None:
            self._buffer.drop_before(self._buffer.end - _QUIET_KEPT)
        else:
            self._hear(self._buffer.end)

    def commit(self) -> None:
        """Make an item of what is in the buffer.

        Raises:
            Refusal: that is less than 100 ms.
        """
        start = self._turn_start if self.is_speaking else self._buffer.start
        if self._buffer.end - start < _LEAST_COMMIT:
            raise Refusal(
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
                f"but buffer only has {(self._buffer.end - start) * 1000 / RATE:.2f}ms of audio.",
                code="input_audio_buffer_commit_empty",
                after_s=_LATE_REFUSAL_S,
            )
        if self._item_id is None:
            self._begin(self._outbox.ids.new("item"), start)
        self._hear(self._buffer.end)
        self._commit(start, self._buffer.end)

    def clear(self) -> None:
        """Drop what is in the buffer, and the utterance with it."""
        if self._item_id is not None:
            self._hearing.forget(self._item_id)
            self._item_id = None
        self._reset(self._buffer.end)
        self._outbox.event("input_audio_buffer.cleared")

    def commit_silence(self, start: int, item_id: str) -> None:
        """Make an item of the time since ``start``, in which nobody spoke."""
        self._begin(item_id, start)
        self._hear(self._buffer.end)
        self._commit(start, self._buffer.end, is_billed=False)

    def _detecting(self, position: int) -> TurnDetector:
        if self._detector is None:
            if self._item_id is not None:  # begun while turns were the client's: the detector begins anew
                self._hearing.forget(self._item_id)
                self._item_id = None
            self._detector = TurnDetector(
                self._make_vad(), self._config["turn_detection"], position=position, said=self._said
            )
        return self._detector

    def _said(self) -> str:
        return "" if self._item_id is None else self._hearing.said(self._item_id)

    def _start_turn(self, at: int, now: float) -> None:
        self._turn_start = at
        item_id = self._outbox.ids.new("item")
        self._outbox.event("input_audio_buffer.speech_started", audio_start_ms=in_ms(at), item_id=item_id)
        self._begin(item_id, at)
        self._on_speech(now)

    def _end_turn(self, at: int, now: float) -> None:
        self._hear(at)
        self._outbox.event("input_audio_buffer.speech_stopped", audio_end_ms=in_ms(at), item_id=self._item_id)
        self._commit(self._turn_start, at)
        self._on_turn(now)

    def _begin(self, item_id: str, start: int) -> None:
        self._item_id = item_id
        self._heard_to = start
        self._hearing.listen(item_id, self._config["transcription"])

    def _hear(self, until: int) -> None:
        if self._item_id is not None and until > self._heard_to:
            self._hearing.hear(self._item_id, self._buffer.between(self._heard_to, until))
            self._heard_to = until

    def _commit(self, start: int, end: int, *, is_billed: bool = True) -> None:
        samples = self._buffer.between(start, end)
        item: dict[str, Any] = {
            "id": self._item_id,
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": None}],
        }
        self._outbox.event(
            "input_audio_buffer.committed", previous_item_id=self._conversation.last_id, item_id=self._item_id
        )
        entry = Entry(item, samples, len(samples))
        self._conversation.add(entry)
        self._hearing.understand(entry, is_billed=is_billed)
        self._item_id = None
        self._reset(end)

    def _reset(self, end: int) -> None:
        self._buffer.drop_before(end)
        if self._detector is not None:
            self._detector.end_turn(end)
