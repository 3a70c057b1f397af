"""Keep what goes over the wire in a test, and what follows from it: what was said, called, answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from ..audio.formats import PCM_24K, AudioFormat, format_of
from ..clock import Clock
from ..ports import SpeechId

_OVERHEAD = ("input_audio_buffer.append", "session.input_audio_buffer.append")
"""Client events that say nothing of what goes on: a microphone sends them all the time."""

_SOUND = ("response.output_audio.delta", "session.output_audio.delta")
_TRANSLATION = SpeechId("translation", 0)
"""All that is said in translation: the protocol knows no items there."""


@dataclass
class MadeCall:
    """Be a function call that the model made, and what the client answered."""

    name: str
    arguments: Any
    output: str | None = None
    """What the client gave back; None if it has given nothing yet."""


@dataclass
class Speech:
    """Be what the server sent of one content part: its words, and how much sound."""

    words: str = ""
    seconds: float = 0.0
    is_spoken: bool = False


@dataclass
class Wire:
    """Be one connection of a test."""

    append: str = "input_audio_buffer.append"
    """The event that takes the microphone's sound."""
    output_format: AudioFormat = PCM_24K
    input_format: AudioFormat = PCM_24K
    open_responses: set[str] = field(default_factory=set[str])
    open_calls: dict[str, MadeCall] = field(default_factory=dict[str, MadeCall])
    is_user_speaking: bool = False
    is_over: bool = False


class Record:
    """Take every frame of a test's connections."""

    def __init__(self, clock: Clock) -> None:
        self.received: list[dict[str, Any]] = []
        """Every event of the server's, without the sound in it."""
        self.sent: list[dict[str, Any]] = []
        """Every event of the client's, but for the sound that it streams."""
        self.calls: list[MadeCall] = []
        self.speeches: dict[SpeechId, Speech] = {}
        """All that the assistant said, in order of its beginning."""
        self.last_at = clock.now()
        """When the latest frame came or went, streamed sound aside."""
        self._clock = clock

    def take(self, wire: Wire, sender: Literal["client", "server"], frame: str | bytes) -> None:
        """Take a frame as it sets out; what is no event is left to the other side to refuse."""
        try:
            read: Any = json.loads(frame)
        except ValueError:
            return
        if not isinstance(read, dict):
            return
        event = cast("dict[str, Any]", read)
        if event.get("type") in _OVERHEAD:
            return
        self.last_at = self._clock.now()
        if sender == "client":
            self._take_sent(wire, event)
        else:
            self._take_received(wire, event)

    def _take_sent(self, wire: Wire, event: dict[str, Any]) -> None:
        self.sent.append(event)
        given = event.get("item")
        item = cast("dict[str, Any]", given if isinstance(given, dict) else {})
        if item.get("type") == "function_call_output":
            call = wire.open_calls.pop(str(item.get("call_id")), None)
            if call is not None:
                call.output = item.get("output")

    def _take_received(self, wire: Wire, event: dict[str, Any]) -> None:
        self.received.append({**event, "delta": ""} if event["type"] in _SOUND else event)
        match event["type"]:
            case "session.created" | "session.updated":
                audio: dict[str, dict[str, Any]] = event["session"]["audio"]
                wire.input_format = format_of(audio["input"].get("format"))
                wire.output_format = format_of(audio.get("output", {}).get("format"))
            case "input_audio_buffer.speech_started":
                wire.is_user_speaking = True
            case "input_audio_buffer.speech_stopped" | "input_audio_buffer.cleared" | "input_audio_buffer.committed":
                wire.is_user_speaking = False
            case "response.created":
                wire.open_responses.add(event["response"]["id"])
            case "response.done":
                wire.open_responses.discard(event["response"]["id"])
            case "response.output_text.delta":
                self._speech(event).words += event["delta"]
            case "response.output_audio_transcript.delta":
                speech = self._speech(event)
                speech.words += event["delta"]
                speech.is_spoken = True
            case "session.output_transcript.delta":
                self.speeches.setdefault(_TRANSLATION, Speech()).words += event["delta"]
            case "response.output_audio.delta":
                speech = self._speech(event)
                samples = wire.output_format.samples_in(len(event["delta"].rstrip("=")) * 3 // 4)
                speech.seconds += samples / wire.output_format.rate
                speech.is_spoken = True
            case "response.output_item.done":
                self._take_item(wire, event["item"])
            case _:
                pass

    def _speech(self, event: dict[str, Any]) -> Speech:
        return self.speeches.setdefault(SpeechId(event["item_id"], event["content_index"]), Speech())

    def _take_item(self, wire: Wire, item: dict[str, Any]) -> None:
        if item["type"] == "function_call" and item.get("status") == "completed":
            call = MadeCall(item["name"], json.loads(item["arguments"] or "{}"))
            self.calls.append(call)
            wire.open_calls[item["call_id"]] = call
