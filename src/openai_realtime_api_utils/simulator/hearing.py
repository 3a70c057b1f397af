"""Follow what is understood of each utterance, and transcribe it for the client where the session asks for it."""

from __future__ import annotations

from collections.abc import Sequence
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
_TRANSCRIPTION = "conversation.item.input_audio_transcription"
_LOGPROBS = "item.input_audio_transcription.logprobs"
_DIARIZING = "gpt-4o-transcribe-diarize"
"""The transcriber that tells who speaks, in segments (API reference)."""
_UNSURE = ("whisper-1", _DIARIZING)
"""Transcribers that give no log probabilities (a guess from the transcription endpoint)."""
_SURENESS = 20.0
"""One over the mean of what is made up for a log probability."""
_AT_ONCE = ("whisper-1",)
"""Transcribers that give everything in one delta (reported)."""
_DELTA_S = 0.04
"""Time between the deltas that come after the turn, so that they interleave with the answer (recorded sessions)."""


@dataclass
class _Utterance:
    overheard: str = ""
    """What is understood of it for certain, while it goes on."""
    streamed: str = ""
    """What of it the client was told."""
    entry: Entry | None = None
    """The item, once the utterance is committed."""
    transcription: dict[str, Any] | None = None
    """How it is to be transcribed; None if it is not, and the model alone hears it."""
    is_billed: bool = True
    """False for the silence of an idle timeout, whose transcription costs nothing (one recorded session)."""
    failure: Fail | None = None
    """Why the listener gave up before the utterance was over."""


class Hearing:
    """Have every utterance listened to, since the simulated model can only read."""

    def __init__(self, outbox: Outbox, timeline: Timeline) -> None:
        self._outbox = outbox
        self._timeline = timeline
        self._utterances: dict[str, _Utterance] = {}
        self.include: Sequence[str] | None = None
        """What the session asks for beside the transcripts themselves."""

    def listen(self, item_id: str, transcription: dict[str, Any] | None) -> None:
        """Begin to listen to what is, or will be, this item."""
        self.forget(item_id)  # an id that a client used twice
        self._utterances[item_id] = _Utterance(transcription=transcription)
        self._outbox.command(Listen(item_id))

    def hear(self, item_id: str, samples: Samples) -> None:
        if len(samples):
            self._outbox.command(Hear(item_id, samples))

    def understand(self, entry: Entry, *, is_billed: bool = True) -> None:
        """End the utterance that has become this item."""
        item_id: str = entry.item["id"]
        utterance = self._utterances[item_id]
        utterance.entry = entry
        utterance.is_billed = is_billed
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
        if utterance is None:
            return
        utterance.overheard += text if utterance.overheard or not text[:1].isspace() else text.lstrip()
        if utterance.transcription is None or utterance.transcription["model"] not in STREAMING:
            return
        for token in tokens(text if utterance.streamed or text[:1].isspace() else f" {text}"):
            utterance.streamed += token
            self._delta(item_id, token, utterance.transcription["model"])

    def said(self, item_id: str) -> str:
        """Return what is understood of an utterance so far."""
        utterance = self._utterances.get(item_id)
        return "" if utterance is None else utterance.overheard

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
                self._complete(item_id, utterance, utterance.transcription, transcript, now)

    def _settle(self, item_id: str, entry: Entry, transcript: str) -> None:
        del self._utterances[item_id]
        entry.is_heard = True
        entry.transcript = transcript

    def _fail(self, item_id: str, utterance: _Utterance, entry: Entry, failure: Fail) -> None:
        self._settle(item_id, entry, "")
        if utterance.transcription is not None:
            self._outbox.event(
                f"{_TRANSCRIPTION}.failed",
                item_id=item_id,
                content_index=0,
                error={
                    "type": "transcription_error",
                    "code": failure.code,
                    "message": failure.message,
                    "param": None,
                },
            )

    def _complete(
        self, item_id: str, utterance: _Utterance, transcription: dict[str, Any], transcript: str, now: float
    ) -> None:
        """Send what was not streamed yet, and then the whole."""
        model: str = transcription["model"]
        ms = 0 if utterance.entry is None else utterance.entry.audio_ms
        streamed = utterance.streamed.removeprefix(" ")
        left = transcript[len(streamed) :] if transcript.startswith(streamed) else ""
        if left and model in STREAMING and not streamed:
            left = f" {left}"
        deltas = [left] if left and model in _AT_ONCE else tokens(left)
        more: dict[str, Any] = {}
        if self._wants_logprobs(model):
            more["logprobs"] = self._logprobs(transcript)
        if transcription.get("languages"):
            more["languages"] = [{"code": transcription["languages"][0]}]
        due = now
        if model == _DIARIZING:
            self._at(due, item_id, "segment", **self._segment(transcript, ms))
            deltas = []
        for delta in deltas:
            self._timeline.at(due, item_id, lambda _, delta=delta: self._delta(item_id, delta, model))
            due += _DELTA_S
        usage = transcription_usage(model, ms if utterance.is_billed else 0, transcript)
        self._at(due, item_id, "completed", transcript=transcript, usage=usage, **more)

    def _at(self, due: float, item_id: str, kind: str, **fields: Any) -> None:
        event_type = f"{_TRANSCRIPTION}.{kind}"
        self._timeline.at(
            due,
            item_id,
            lambda _: self._outbox.event(event_type, item_id=item_id, content_index=0, **fields),
        )

    def _delta(self, item_id: str, delta: str, model: str) -> None:
        more: dict[str, Any] = {"logprobs": self._logprobs(delta)} if self._wants_logprobs(model) else {}
        self._outbox.event(
            f"{_TRANSCRIPTION}.delta",
            item_id=item_id,
            content_index=0,
            delta=delta,
            obfuscation=self._outbox.ids.padding(delta),
            **more,
        )

    def _wants_logprobs(self, model: str) -> bool:
        return _LOGPROBS in (self.include or ()) and model not in _UNSURE

    def _logprobs(self, text: str) -> list[dict[str, Any]]:
        """Make up how sure the transcriber is of each token: rather sure, since a script says what is heard."""
        return [
            {
                "token": token,
                "logprob": round(-self._outbox.ids.random.expovariate(_SURENESS), 6),
                "bytes": list(token.encode()),
            }
            for token in tokens(text)
        ]

    def _segment(self, transcript: str, ms: int) -> dict[str, Any]:
        """Return the only segment of an utterance: nothing here tells voices apart."""
        segment_id = self._outbox.ids.new("seg")
        return {"id": segment_id, "text": transcript, "speaker": "A", "start": 0.0, "end": ms / 1000}
