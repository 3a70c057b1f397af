"""Tell a conversation as it happens: a middleware that turns events into moments."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Self

from ...handlers import RECEIVED_AT, Metadata
from ...middlewares import TrackConfig, TrackConversation
from ...state.reading import read, read_int, read_list, read_text
from ...state.turn import Floor as HasFloor
from ...state.turn import Turn
from ...state.usage import Usage, add
from . import moments
from .moments import Tell


class Narrate:
    """Follow the turns and tell every change once. Hook it behind the middlewares whose word it takes."""

    def __init__(
        self, config: TrackConfig, conversation: TrackConversation, is_speaking: Callable[[], bool], tell: Tell
    ) -> None:
        self.usage = Usage()
        self.turn = Turn()
        self.user_audio_ms = 0
        self.responses_done = 0
        self._config = config
        self._conversation = conversation
        self._is_speaking = is_speaking
        self._tell = tell
        self._speech_started_ms = 0
        self._told_floor = HasFloor.NOBODY
        self._told: moments.Said | None = None

    @property
    def is_anybody_speaking(self) -> bool:
        self.look()
        return self.turn.floor is not HasFloor.NOBODY

    def server_event_handler(self, event: Any, metadata: Metadata, connection: Any) -> Any:
        now = RECEIVED_AT.get(metadata, 0.0)
        self.usage = add(self.usage, event)
        match event.type:
            case "input_audio_buffer.speech_started":
                self._speech_started_ms = read_int(event, "audio_start_ms") or 0
                self.turn = self.turn.user_started()
            case "input_audio_buffer.speech_stopped":
                self.user_audio_ms += max(0, (read_int(event, "audio_end_ms") or 0) - self._speech_started_ms)
                self.turn = self.turn.user_stopped(now, self._silence_s)
            case "response.output_audio.delta":
                self._answered(now)
            case "response.done":
                self.responses_done += 1
                for item in read_list(read(event, "response"), "output"):
                    self._said(read_text(item, "id"), is_final=True)
            case _ if event.type.startswith("conversation.item.input_audio_transcription"):
                self._said(read_text(event, "item_id"), is_final=event.type.endswith("completed"))
            case "response.output_audio_transcript.delta" | "response.output_text.delta":
                self._said(read_text(event, "item_id"), is_final=False)
            case _:
                pass
        self.look()
        return event, metadata

    def look(self, _: object = None) -> None:
        """Tell the floor if it has changed; called too when speech has sounded to its end."""
        self.turn = self.turn.sounding(self._is_speaking())
        if self.turn.floor is not self._told_floor:
            self._told_floor = self.turn.floor
            self._tell(moments.Floor(self.turn.floor.value))

    def _answered(self, now: float) -> None:
        before, self.turn = self.turn, self.turn.audio_received(now)
        if self.turn.latency_s is not None and self.turn.answered > before.answered:
            self._tell(moments.Answered(self.turn.answered, round(self.turn.latency_s, 3), self._silence_s))

    def _said(self, item_id: str | None, *, is_final: bool) -> None:
        item = self._conversation.item(item_id) if item_id else None
        if item is None or not item.text:
            return
        said = moments.Said(item.role or "assistant", item.id, item.text, is_final)
        if self._told != said:
            self._told = said
            self._tell(said)

    @property
    def _silence_s(self) -> float:
        detection = self._config.turn_detection or {}
        return float(detection.get("silence_duration_ms") or 0) / 1000


class TellProblems(logging.Handler):
    """Tell what the library would log as problems, for as long as it is entered: log lines would tear the screen."""

    def __init__(self, logger: logging.Logger, tell: Tell) -> None:
        super().__init__(logging.WARNING)
        self._logger = logger
        self._tell_problem = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell_problem(moments.Problem(record.getMessage()))

    def __enter__(self) -> Self:
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
