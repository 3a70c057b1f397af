"""Be the service for one connection that only wants to know what was said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .base_session import BaseSession, required
from .commands import Overheard, Result, Understood
from .conversation import Conversation
from .hearing import Hearing
from .ids import Ids
from .items import appended_audio
from .settings import Settings
from .speech_input import SpeechInput
from .transcription_config import default_transcription_session, updated_transcription
from .vad import Vad, WebRtcVad


class TranscriptionSession(BaseSession):
    """Hold a simulated transcription session: what is said becomes items and transcripts, and nobody answers."""

    def __init__(
        self,
        *,
        now: float,
        created_at: int,
        settings: Settings | None = None,
        given: dict[str, Any] | None = None,
        ids: Ids | None = None,
        vad: Callable[[], Vad] = WebRtcVad,
    ) -> None:
        """Begin a session; the arguments are those of ``Session``.

        Raises:
            Refusal: ``given`` is refused.
        """
        super().__init__(now=now, settings=settings, ids=ids)
        self.conversation = Conversation(self._outbox, keep_audio_s=self.settings.keep_audio_s)
        self.config = default_transcription_session(
            self._outbox.ids.new("sess"), created_at + int(self.settings.lifetime_s)
        )
        if given is not None:
            self.config = updated_transcription(self.config, given)
        self._hearing = Hearing(self._outbox, self._timeline)
        self._hearing.include = self.config["include"]
        self._input = SpeechInput(
            self.config["audio"]["input"],
            vad=vad,
            conversation=self.conversation,
            hearing=self._hearing,
            outbox=self._outbox,
            on_speech=_nothing,
            on_turn=_nothing,
        )
        self.handlers = {
            "session.update": self._update_session,
            "input_audio_buffer.append": lambda event, now: self._input.append(appended_audio(event), now),
            "input_audio_buffer.commit": lambda _event, _now: self._input.commit(),
            "input_audio_buffer.clear": lambda _event, _now: self._input.clear(),
            "conversation.item.retrieve": lambda event, _: self.conversation.retrieve(required(event, "item_id")),
            "conversation.item.delete": self._delete_item,
        }
        self._outbox.event("session.created", session=self.config)

    def feed(self, result: Result, now: float) -> None:
        self.advance(now)
        match result:
            case Overheard():
                self._hearing.overheard(result.item_id, result.text)
            case Understood():
                self._hearing.understood(result.item_id, result.transcript, now)
            case _:
                pass  # nothing is thought here

    def busy_until(self, response_id: str) -> float | None:
        return None

    def _update_session(self, event: dict[str, Any], now: float) -> None:
        self.config = updated_transcription(self.config, required(event, "session"))
        self._hearing.include = self.config["include"]
        self._input.configure(self.config["audio"]["input"])
        self._outbox.event("session.updated", session=self.config)

    def _delete_item(self, event: dict[str, Any], now: float) -> None:
        entry = self.conversation.delete(required(event, "item_id"))
        if not entry.is_heard:
            self._hearing.forget(entry.item["id"])


def _nothing(_now: float) -> None:
    """Let a turn pass: nobody is to be interrupted, and nobody answers."""
