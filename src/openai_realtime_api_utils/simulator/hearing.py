"""Follow what is understood of each utterance, and transcribe it for the client where the session asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .commands import Forget, Hear, Listen, Understand
from .conversation import Entry
from .engine import Fail
from .outbox import Outbox, Timeline
from .tokens import tokens, transcription_usage

if TYPE_CHECKING:
    from ..ports import Samples

STREAMING = ("gpt-realtime-whisper", "gpt-live-transcribe")
"""Transcribers whose deltas come while the user still speaks (recorded sessions)."""
_AT_ONCE = ("whisper-1",)
"""Transcribers that give everything in one delta (reported)."""
_DELTA_S = 0.04
"""Time between the deltas that come after the turn, so that they interleave with the answer (recorded sessions)."""


@dataclass
class _Utterance:
    streamed: str = ""
    entry: Entry | None = None
    """The item, once the utterance is committed."""
    transcription: dict[str, Any] | None = None
    """How it is to be transcribed; None if it is not, and the model alone hears it."""
    failure: Fail | None = None
    """Why the listener gave up before the utterance was over."""


class Hearing:
    """Have every utterance listened to, since the simulated model can only read."""

    def __init__(self, outbox: Outbox, timeline: Timeline) -> None:
        self._outbox = outbox
        self._timeline = timeline
        self._utterances: dict[str, _Utterance] = {}

    def listen(self, item_id: str, transcription: dict[str, Any] | None) -> None:
        """Begin to listen to what is, or will be, this item."""
        self.forget(item_id)  # an id that a client used twice
        self._utterances[item_id] = _Utterance(transcription=transcription)
        self._outbox.command(Listen(item_id))

    def hear(self, item_id: str, samples: Samples) -> None:
        if len(samples):
            self._outbox.command(Hear(item_id, samples))

    def understand(self, entry: Entry) -> None:
        """End the utterance that has become this item."""
        item_id: str = entry.item["id"]
        utterance = self._utterances[item_id]
        utterance.entry = entry
        entry.is_heard = False
        self._outbox.command(Understand(item_id))
        if utterance.failure is not None:
            self._fail(item_id, utterance, entry, utterance.failure)

    def forget(self, item_id: str) -> None:
        """Drop an utterance that was cleared or deleted."""
        utterance = self._utterances.pop(item_id, None)
        self._timeline.drop(item_id)
        if utterance is not None:
            self._outbox.command(Forget(item_id))
            if utterance.entry is not None:
                utterance.entry.is_heard = True

    def overheard(self, item_id: str, text: str) -> None:
        """Take what was understood while the utterance goes on."""
        utterance = self._utterances.get(item_id)
        if utterance is None or utterance.transcription is None or utterance.transcription["model"] not in STREAMING:
            return
        for token in tokens(text if utterance.streamed or text[:1].isspace() else f" {text}"):
            utterance.streamed += token
            self._delta(item_id, token)

    def understood(self, item_id: str, transcript: str | Fail, now: float) -> None:
        """Take what the whole utterance was, and tell the client."""
        utterance = self._utterances.get(item_id)
        if utterance is None:
            return
        if isinstance(transcript, Fail):
            if utterance.entry is None:
                utterance.failure = transcript
            else:
                self._fail(item_id, utterance, utterance.entry, transcript)
        elif utterance.entry is not None:
            self._settle(item_id, utterance.entry, transcript)
            if utterance.transcription is not None:
                self._complete(
                    item_id,
                    utterance.streamed,
                    utterance.transcription["model"],
                    transcript,
                    now,
                    audio_ms=utterance.entry.audio_ms,
                )

    def _settle(self, item_id: str, entry: Entry, transcript: str) -> None:
        del self._utterances[item_id]
        entry.is_heard = True
        entry.transcript = transcript

    def _fail(self, item_id: str, utterance: _Utterance, entry: Entry, failure: Fail) -> None:
        self._settle(item_id, entry, "")
        if utterance.transcription is not None:
            self._outbox.event(
                "conversation.item.input_audio_transcription.failed",
                item_id=item_id,
                content_index=0,
                error={
                    "type": "transcription_error",
                    "code": failure.code,
                    "message": failure.message,
                    "param": None,
                },
            )

    def _complete(self, item_id: str, streamed: str, model: str, transcript: str, now: float, *, audio_ms: int) -> None:
        """Send what was not streamed yet, and then the whole."""
        streamed = streamed.removeprefix(" ")
        left = transcript[len(streamed) :] if transcript.startswith(streamed) else ""
        if left and model in STREAMING and not streamed:
            left = f" {left}"
        deltas = [left] if left and model in _AT_ONCE else tokens(left)
        for i, delta in enumerate(deltas):
            self._timeline.at(now + i * _DELTA_S, item_id, lambda _, delta=delta: self._delta(item_id, delta))
        self._timeline.at(
            now + len(deltas) * _DELTA_S,
            item_id,
            lambda _: self._outbox.event(
                "conversation.item.input_audio_transcription.completed",
                item_id=item_id,
                content_index=0,
                transcript=transcript,
                usage=transcription_usage(model, audio_ms, transcript),
            ),
        )

    def _delta(self, item_id: str, delta: str) -> None:
        self._outbox.event(
            "conversation.item.input_audio_transcription.delta",
            item_id=item_id,
            content_index=0,
            delta=delta,
            obfuscation=self._outbox.ids.padding(delta),
        )
