"""Tell a conversation as it happens: a middleware that turns events into moments."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from ...clock import Clock
from ...handlers import RECEIVED_AT, Metadata
from ...middlewares import AudioPlayer, StreamMic, TrackConfig, TrackConversation
from ...ports import SpeechId
from ...state.reading import read, read_int, read_list, read_text
from ...state.turn import Floor as HasFloor
from ...state.turn import Turn
from ...state.usage import Usage, add
from . import moments
from .moments import Tell

if TYPE_CHECKING:
    from ...host.open_audio import HostAudio

_LOOK_S = 0.1
"""How often the heard position and the microphone's level are told."""


class Narrate:
    """Follow the turns and tell every change once. Hook it behind the middlewares whose word it takes."""

    def __init__(
        self,
        config: TrackConfig,
        conversation: TrackConversation,
        player: AudioPlayer,
        mic: StreamMic,
        tell: Tell,
        host: HostAudio | None = None,
    ) -> None:
        self.usage = Usage()
        self.turn = Turn()
        self.user_audio_ms = 0
        self.responses_done = 0
        self._config = config
        self._conversation = conversation
        self._player = player
        self._mic = mic
        self._host = host
        self._tell = tell
        self._speech_started_ms = 0
        self._told_floor = HasFloor.NOBODY
        self._told: moments.Said | None = None
        self._sounding: dict[str, str] = {}
        player.register_on_speech_end_handler(self._sounded)

    @property
    def is_anybody_speaking(self) -> bool:
        return self.turn.floor is not HasFloor.NOBODY

    async def keep_looking(self, clock: Clock) -> None:
        """Tell, for as long as it runs, what changes by itself: the heard position, and the microphone's level."""
        while True:
            await clock.sleep_until(clock.now() + _LOOK_S)
            self._tell(moments.Level(round(self._mic.level, 1), _echo_of(self._host)))
            for item_id, told in self._sounding.items():
                heard = self._player.heard_text(item_id)
                if heard != told:
                    self._sounding[item_id] = heard
                    self._tell(moments.Heard(item_id, heard, is_over=False))
            self._look()

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
            case "local.session_replaced":
                self.turn = replace(self.turn, floor=HasFloor.NOBODY)
            case "response.output_audio.delta":
                self._answered(now)
                self._sounding.setdefault(read_text(event, "item_id") or "", "")
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
        self._look()
        return event, metadata

    def cut(self, item_id: str) -> None:
        """Take that an item was interrupted: it is not heard any further."""
        self._sounding.pop(item_id, None)

    def _look(self) -> None:
        """Tell the floor if it has changed."""
        self.turn = self.turn.sounding(self._player.is_speaking)
        if self.turn.floor is not self._told_floor:
            self._told_floor = self.turn.floor
            self._tell(moments.Floor(self.turn.floor.value))

    def _sounded(self, speech_id: SpeechId) -> None:
        self._sounding.pop(speech_id.item_id, None)
        self._tell(moments.Heard(speech_id.item_id, self._player.heard_text(speech_id.item_id), is_over=True))
        self._look()

    def _answered(self, now: float) -> None:
        before, self.turn = self.turn, self.turn.audio_received(now)
        if self.turn.latency_s is not None and self.turn.answered > before.answered:
            self._tell(moments.Answered(self.turn.answered, round(self.turn.latency_s, 3), self._silence_s))

    def _said(self, item_id: str | None, *, is_final: bool) -> None:
        item = self._conversation.item(item_id) if item_id else None
        if item is None or not item.text:
            return
        is_spoken = item.role == "user" or any(item.id == speech.item_id for speech in self._player.speech_ids)
        said = moments.Said(item.role or "assistant", item.id, item.text, is_final, is_spoken)
        if self._told != said:
            self._told = said
            self._tell(said)

    @property
    def _silence_s(self) -> float:
        detection = self._config.turn_detection or {}
        return float(detection.get("silence_duration_ms") or 0) / 1000


def _echo_of(host: HostAudio | None) -> str:
    """Say what is done about the loudspeaker in the microphone."""
    if host is None:
        return ""
    stats = host.stats
    if stats.echo == "aec3":
        return "echo cancelled" if stats.is_settled else "echo canceller adapting"
    return {"half_duplex": "half duplex: the microphone is silent while the assistant speaks"}.get(stats.echo, "")


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
