"""Play a recorded session again: say what its model said, to whatever a client does."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from ..clock import Clock
from ..errors import SimulatorError
from .engine import Call, Fail, Say
from .scripted import Answer, ScriptedEngine

Message = tuple[str, Mapping[str, Any]]
"""``"sent"`` or ``"received"`` by the client, and the event."""


class RecordedScenario:
    """Hold what the other side of a recorded session heard and answered."""

    def __init__(self, messages: Iterable[Message]) -> None:
        received = [event for direction, event in messages if direction == "received"]
        self.model: str | None = next((e["session"].get("model") for e in received if "session" in e), None)
        """The model that answered."""
        done = {e["response"]["id"]: e["response"] for e in received if e["type"] == "response.done"}
        begun = [e["response"]["id"] for e in received if e["type"] == "response.created"]
        self.replies: list[Answer] = [_answer(done[id_]) for id_ in begun if id_ in done]
        """What was answered, response by response."""
        self.hears: list[str | Fail] = _heard(received)
        """What was understood of each utterance."""

    def engine(self, *, clock: Clock | None = None) -> ScriptedEngine:
        """Make the engine of one session, which begins the recording anew."""
        return ScriptedEngine(self.replies, self.hears, clock=clock)


def _heard(received: list[Mapping[str, Any]]) -> list[str | Fail]:
    """Return the transcripts in the order of the utterances, ``""`` where there is none."""
    heard: dict[str, str | Fail] = {}
    for event in received:
        if event["type"] == "input_audio_buffer.committed":
            heard.setdefault(event["item_id"], "")
        elif event["type"] == "conversation.item.input_audio_transcription.completed":
            heard[event["item_id"]] = event["transcript"]
        elif event["type"] == "conversation.item.input_audio_transcription.failed":
            error = event["error"]
            heard[event["item_id"]] = Fail(error.get("code") or "", error.get("message") or "")
    return list(heard.values())


def _answer(response: Mapping[str, Any]) -> Answer:
    pieces = [piece for item in response["output"] if (piece := _piece(item)) is not None]
    if response["status"] == "failed":
        details = cast("dict[str, Any]", response.get("status_details") or {})
        error = cast("dict[str, Any]", details.get("error") or {})
        return [*pieces, Fail(error.get("code") or "server_error", error.get("message") or "It failed.")]
    return pieces


def _piece(item: Mapping[str, Any]) -> Say | Call | None:
    if item["type"] == "function_call":
        return Call(item["name"], _arguments(item["arguments"]))
    if item["type"] != "message":
        return None
    said = "".join(part.get("text") or part.get("transcript") or "" for part in item["content"])
    return Say(said, item.get("phase") or "final_answer") if said else None


def _arguments(text: str) -> dict[str, Any]:
    try:
        arguments: Any = json.loads(text)
    except ValueError as error:
        raise SimulatorError(f"The recorded arguments {text!r} are not JSON ({error}): mend them.") from error
    return cast("dict[str, Any]", arguments) if isinstance(arguments, dict) else {}
