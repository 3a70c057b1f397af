"""Keep the configuration of a transcription session."""

from __future__ import annotations

import copy
from typing import Any

from .checks import mapping, one_of
from .config import PCM, merge_input, vad_defaults
from .refusals import Refusal, missing
from .shapes import TRANSCRIPTION_SESSION

_SILENCE_MS = 200
"""Where turns end in a transcription session that does not say otherwise (measured by others)."""
_NO_VAD = "gpt-realtime-whisper"
"""The transcriber that takes no turn detection in a transcription session (API reference)."""
_MEANINGLESS = ("idle_timeout_ms", "create_response", "interrupt_response")
"""Accepted and ignored, since nobody answers (API reference); not shown."""


def default_transcription_session(session_id: str, expires_at: int) -> dict[str, Any]:
    """Return the session as ``session.created`` delivers it."""
    return {
        "type": "transcription",
        "object": "realtime.transcription_session",
        "id": session_id,
        "expires_at": expires_at,
        "audio": {
            "input": {
                "format": dict(PCM),
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": _shown(vad_defaults("server_vad", _SILENCE_MS)),
            }
        },
        "include": None,
    }


def updated_transcription(session: dict[str, Any], update: Any) -> dict[str, Any]:
    """Return the session with an update merged in.

    Raises:
        Refusal: something in it is refused, and then all of it is.
    """
    given = mapping(update, "session")
    if "type" not in given:
        raise missing("session.type")
    if given["type"] == "realtime":
        raise Refusal(
            "Passing a realtime session update event to a transcription session is not allowed.",
            code="invalid_parameter",
        )
    one_of("transcription", "realtime")(given["type"], "session.type")
    changes = TRANSCRIPTION_SESSION(given, "session")
    result = copy.deepcopy(session)
    if "include" in changes:
        result["include"] = changes["include"]
    now: dict[str, Any] = result["audio"]["input"]
    asked: dict[str, Any] = changes.get("audio", {}).get("input", {})
    merge_input(now, asked, _SILENCE_MS)
    if now["transcription"] is not None and now["transcription"]["model"] == _NO_VAD:
        if asked.get("turn_detection") is not None:
            raise Refusal(
                f"Turn detection is not supported with {_NO_VAD}: set it to null, and commit.",
                code="invalid_value",
                param="session.audio.input.turn_detection",
            )
        now["turn_detection"] = None
    if now["turn_detection"] is not None:
        now["turn_detection"] = _shown(now["turn_detection"])
    return result


def _shown(detection: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in detection.items() if name not in _MEANINGLESS}
