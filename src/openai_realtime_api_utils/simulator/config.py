"""Keep a session's configuration: what the service starts with, what it accepts, and how an update is merged."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .checks import mapping, one_of
from .prompt_truncation import check_limits, input_limit
from .refusals import Refusal, missing
from .shapes import GUIDED, RESPONSE, SESSION

PERSONA = (
    "You are a simulated assistant, run on the client's own side for tests and for trying things out. "
    "Be friendly and brief, call a function where one fits, and answer in the user's language."
)
"""Instructions of a session that sets none; setting ``""`` brings them back (recorded sessions)."""

PCM = {"type": "audio/pcm", "rate": 24000}

_UNSEEN = ("reasoning", "parallel_tool_calls")
"""Accepted, and not in the session that the service returns (recorded sessions)."""
_NEVER_ECHOED = (*_UNSEEN, "model")


def is_second_generation(model: str) -> bool:
    """Say whether a model is of the 2.x family, which differs in defaults and in its items (recorded sessions)."""
    return model.startswith("gpt-realtime-2") and not model.startswith("gpt-realtime-2025")


def _silence_ms(model: str) -> int:
    return 500 if is_second_generation(model) else 200


def vad_defaults(kind: str, silence_ms: int) -> dict[str, Any]:
    """Return the turn detection of this kind that a session has unless it says otherwise."""
    if kind == "semantic_vad":
        return {"type": kind, "eagerness": "auto", "create_response": True, "interrupt_response": True}
    return {
        "type": kind,
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": silence_ms,
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
                "format": dict(PCM),
                "transcription": None,
                "noise_reduction": None,
                "turn_detection": vad_defaults("server_vad", _silence_ms(model)),
            },
            "output": {
                "format": dict(PCM),
                "voice": "marin" if is_second_generation(model) else "alloy",
                "speed": 1.0,
            },
        },
        "include": None,
    }


def updated(
    session: dict[str, Any],
    update: Any,
    *,
    voice_is_locked: bool = False,
    is_responding: bool = False,
    may_name_model: bool = False,
) -> dict[str, Any]:
    """Return the session with an update merged in: what the update does not name stays as it was.

    ``may_name_model`` lets it name the model, as it may where the connection named none (inferred).

    Raises:
        Refusal: something in it is refused, and then all of it is.
    """
    given = mapping(update, "session")
    _check_type(given)
    changes = SESSION(given, "session")
    if may_name_model:
        session = session | {"model": changes.get("model", session["model"])}
    if "model" in changes and changes["model"] != session["model"]:
        raise Refusal("Cannot update the model of a session.", code="invalid_value", param="session.model")
    _check_reasons(changes, session["model"], "session")
    if session["tracing"] is not None and changes.get("tracing", session["tracing"]) != session["tracing"]:
        raise Refusal(
            "Cannot update tracing once it is enabled for a session.", code="invalid_value", param="session.tracing"
        )
    check_limits(changes.get("truncation"), input_limit(is_second_generation=is_second_generation(session["model"])))
    result = copy.deepcopy(session)
    sound: dict[str, Any] = changes.pop("audio", {})
    result.update({name: value for name, value in changes.items() if name not in _NEVER_ECHOED})
    if result["instructions"] == "":
        result["instructions"] = PERSONA
    merge_input(result["audio"]["input"], sound.get("input", {}), _silence_ms(result["model"]))
    output: dict[str, Any] = sound.get("output", {})
    before = result["audio"]["output"]
    if is_responding and output.get("speed", before["speed"]) != before["speed"]:
        raise Refusal(
            "Cannot update the speed while a response is in progress.",
            code="invalid_value",
            param="session.audio.output.speed",
        )
    _merge_output(result, output, voice_is_locked=voice_is_locked)
    return result


def unseen(update: dict[str, Any]) -> dict[str, Any]:
    """Return what of a checked update takes effect without being shown."""
    return {name: update[name] for name in _UNSEEN if update.get(name) is not None}


def _check_reasons(given: dict[str, Any], model: str, path: str) -> None:
    """Refuse what only reasoning models take, to others (API reference)."""
    if is_second_generation(model):
        return
    for name in _UNSEEN:
        if given.get(name) is not None:
            raise Refusal(
                f"The '{name}' parameter is not supported with {model}.",
                code="unsupported_parameter",
                param=f"{path}.{name}",
            )


def _check_type(given: dict[str, Any]) -> None:
    if "type" not in given:
        raise missing("session.type")
    if given["type"] == "transcription":
        raise Refusal(
            "Passing a transcription session update event to a realtime session is not allowed.",
            code="invalid_parameter",
        )
    one_of("realtime", "transcription")(given["type"], "session.type")


def merge_input(now: dict[str, Any], changes: dict[str, Any], silence_ms: int) -> None:
    """Merge changes into the ``audio.input`` of a session.

    Raises:
        Refusal: what they come to together is refused.
    """
    for name, value in changes.items():
        now[name] = _MERGE[name](now[name], value, silence_ms)


def _merge_vad(old: dict[str, Any] | None, new: dict[str, Any] | None, silence_ms: int) -> dict[str, Any] | None:
    if new is None:
        return None
    kind = new.get("type") or (old["type"] if old else "server_vad")
    base = old if old and old["type"] == kind else vad_defaults(kind, silence_ms)
    return base | new | {"type": kind}


_TRANSCRIPTION = "session.audio.input.transcription"


def _merge_transcription(old: dict[str, Any] | None, new: dict[str, Any] | None, _: int) -> dict[str, Any] | None:
    if new is None:
        return None
    merged: dict[str, Any] = {"language": None, "prompt": None} | (old or {}) | new
    if "model" not in merged:
        raise missing(f"{_TRANSCRIPTION}.model")
    model: str = merged["model"]
    if model not in GUIDED:
        for name in ("keywords", "languages"):
            if name in new:
                raise _not_with(name, model)
            merged.pop(name, None)
    elif model == "gpt-live-transcribe":
        merged.setdefault("languages", [])
        if merged["languages"] and merged["language"] is not None:
            raise Refusal(
                "Set either 'language' or 'languages', not both.",
                code="invalid_value",
                param=f"{_TRANSCRIPTION}.language",
            )
    if merged["prompt"] is not None and model == "gpt-realtime-whisper":
        raise _not_with("prompt", model)
    merged.pop("delay", None)  # accepted, never echoed (reported)
    return {"model": merged.pop("model"), **merged}


def _not_with(name: str, model: str) -> Refusal:
    return Refusal(
        f"The '{name}' parameter is not supported with {model}.",
        code="invalid_value",
        param=f"{_TRANSCRIPTION}.{name}",
    )


def _merge_noise_reduction(old: dict[str, Any] | None, new: dict[str, Any] | None, _: int) -> dict[str, Any] | None:
    return None if new is None else (old or {}) | new


_MERGE: dict[str, Callable[[Any, Any, int], Any]] = {
    "format": lambda _old, new, _silence_ms: _as_echoed(new),
    "transcription": _merge_transcription,
    "noise_reduction": _merge_noise_reduction,
    "turn_detection": _merge_vad,
}


def _as_echoed(sound_format: dict[str, Any]) -> dict[str, Any]:
    return dict(PCM) if sound_format["type"] == "audio/pcm" else sound_format


def _merge_output(result: dict[str, Any], changes: dict[str, Any], *, voice_is_locked: bool) -> None:
    now: dict[str, Any] = result["audio"]["output"]
    _check_voice(changes, now, is_locked=voice_is_locked)
    now.update(changes)
    now["format"] = _as_echoed(now["format"])


def _check_voice(changes: dict[str, Any], now: dict[str, Any], *, is_locked: bool) -> None:
    if is_locked and changes.get("voice", now["voice"]) != now["voice"]:
        raise Refusal("Cannot update a conversation's voice if assistant audio is present.", code="cannot_update_voice")


def checked_response(given: Any, session: dict[str, Any], *, voice_is_locked: bool) -> dict[str, Any]:
    """Check the ``response`` of a ``response.create``; its ``input`` is checked by ``items``.

    Raises:
        Refusal: something in it is refused.
    """
    asked: dict[str, Any] = RESPONSE({} if given is None else given, "response")
    _check_reasons(asked, session["model"], "response")
    is_beside = asked.get("conversation") == "none"
    _check_voice(
        asked.get("audio", {}).get("output", {}),
        session["audio"]["output"],
        is_locked=voice_is_locked and not is_beside,
    )
    return asked
