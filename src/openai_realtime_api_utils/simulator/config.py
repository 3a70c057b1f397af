"""Keep a session's configuration: what the service starts with, what it accepts, and how an update is merged."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .checks import mapping, one_of
from .faults import Fault, missing
from .shapes import RESPONSE, SESSION

PERSONA = (
    "You are a simulated assistant, run on the client's own side for tests and for trying things out. "
    "Be friendly and brief, call a function where one fits, and answer in the user's language."
)
"""Instructions of a session that sets none; setting ``""`` brings them back (recorded sessions)."""

_PCM = {"type": "audio/pcm", "rate": 24000}

_NEVER_ECHOED = ("reasoning", "parallel_tool_calls", "model")
"""Accepted, and not in the session that the service returns (recorded sessions), or not to be changed."""


def is_second_generation(model: str) -> bool:
    """Say whether a model is of the 2.x family, which differs in defaults and in its items (recorded sessions)."""
    return model.startswith("gpt-realtime-2") and not model.startswith("gpt-realtime-2025")


def _vad_defaults(model: str, kind: str) -> dict[str, Any]:
    if kind == "semantic_vad":
        return {"type": kind, "eagerness": "auto", "create_response": True, "interrupt_response": True}
    return {
        "type": kind,
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 500 if is_second_generation(model) else 200,
        "idle_timeout_ms": None,
        "create_response": True,
        "interrupt_response": True,
    }


def default_session(model: str, *, session_id: str, expires_at: int) -> dict[str, Any]:
    """Return the session as ``session.created`` delivers it (recorded sessions)."""
    return {
        "type": "realtime",
        "object": "realtime.session",
        "id": session_id,
        "model": model,
        "output_modalities": ["audio"],
        "instructions": PERSONA,
        "tools": [],
        "tool_choice": "auto",
        "max_output_tokens": "inf",
        "tracing": None,
        "truncation": "auto",
        "prompt": None,
        "expires_at": expires_at,
        "audio": {
            "input": {
                "format": dict(_PCM),
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": _vad_defaults(model, "server_vad"),
            },
            "output": {
                "format": dict(_PCM),
                "voice": "marin" if is_second_generation(model) else "alloy",
                "speed": 1.0,
            },
        },
        "include": None,
    }


def updated(session: dict[str, Any], update: Any, *, voice_is_locked: bool) -> dict[str, Any]:
    """Return the session with an update merged in: what the update does not name stays as it was.

    Raises:
        Fault: something in it is refused, and then all of it is.
    """
    given = mapping(update, "session")
    _check_type(given)
    changes = SESSION(given, "session")
    if "model" in changes and changes["model"] != session["model"]:
        raise Fault("Cannot update the model of a session.", code="invalid_value", param="session.model")
    result = copy.deepcopy(session)
    sound: dict[str, Any] = changes.pop("audio", {})
    result.update({name: value for name, value in changes.items() if name not in _NEVER_ECHOED})
    if result["instructions"] == "":
        result["instructions"] = PERSONA
    _merge_input(result, sound.get("input", {}))
    _merge_output(result, sound.get("output", {}), voice_is_locked=voice_is_locked)
    return result


def _check_type(given: dict[str, Any]) -> None:
    if "type" not in given:
        raise missing("session.type")
    if given["type"] == "transcription":
        raise Fault(
            "Passing a transcription session update event to a realtime session is not allowed.",
            code="invalid_parameter",
        )
    one_of("realtime", "transcription")(given["type"], "session.type")


def _merge_input(result: dict[str, Any], changes: dict[str, Any]) -> None:
    now: dict[str, Any] = result["audio"]["input"]
    for name, value in changes.items():
        now[name] = _MERGE[name](now[name], value, result["model"])


def _merge_vad(old: dict[str, Any] | None, new: dict[str, Any] | None, model: str) -> dict[str, Any] | None:
    if new is None:
        return None
    kind = new.get("type") or (old["type"] if old else "server_vad")
    base = old if old and old["type"] == kind else _vad_defaults(model, kind)
    return base | new | {"type": kind}


def _merge_transcription(old: dict[str, Any] | None, new: dict[str, Any] | None, _: str) -> dict[str, Any] | None:
    if new is None:
        return None
    merged = {"language": None, "prompt": None} | (old or {}) | new
    if "model" not in merged:
        raise missing("session.audio.input.transcription.model")
    if merged["prompt"] is not None and merged["model"] == "gpt-realtime-whisper":
        raise Fault(
            "The 'prompt' parameter is not supported with gpt-realtime-whisper.",
            code="invalid_value",
            param="session.audio.input.transcription.prompt",
        )
    merged.pop("delay", None)  # accepted, never echoed (reported)
    return {"model": merged.pop("model"), **merged}


def _merge_noise_reduction(old: dict[str, Any] | None, new: dict[str, Any] | None, _: str) -> dict[str, Any] | None:
    return None if new is None else (old or {}) | new


_MERGE: dict[str, Callable[[Any, Any, str], Any]] = {
    "format": lambda _old, new, _model: _as_echoed(new),
    "transcription": _merge_transcription,
    "noise_reduction": _merge_noise_reduction,
    "turn_detection": _merge_vad,
}


def _as_echoed(sound_format: dict[str, Any]) -> dict[str, Any]:
    return dict(_PCM) if sound_format["type"] == "audio/pcm" else sound_format


def _merge_output(result: dict[str, Any], changes: dict[str, Any], *, voice_is_locked: bool) -> None:
    now: dict[str, Any] = result["audio"]["output"]
    if voice_is_locked and changes.get("voice", now["voice"]) != now["voice"]:
        raise Fault("Cannot update a conversation's voice if assistant audio is present.", code="cannot_update_voice")
    now.update(changes)
    now["format"] = _as_echoed(now["format"])


def checked_response(given: Any) -> dict[str, Any]:
    """Check the ``response`` of a ``response.create``; its ``input`` is checked by ``items``."""
    return RESPONSE({} if given is None else given, "response")
