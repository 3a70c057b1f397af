"""Keep the configuration of a translation session."""

from __future__ import annotations

import copy
from typing import Any

from .refusals import Refusal
from .shapes import TRANSLATION_SESSION

TRANSLATOR = "gpt-realtime-translate"
"""The model of a translation session that names none."""
_LANGUAGE = "en"
"""Where a session does not say (a guess)."""


def default_translation_session(model: str | None, session_id: str, expires_at: int) -> dict[str, Any]:
    """Return the session as ``session.created`` delivers it (API reference)."""
    return {
        "id": session_id,
        "type": "translation",
        "model": model or TRANSLATOR,
        "expires_at": expires_at,
        "audio": {"input": {"transcription": None, "noise_reduction": None}, "output": {"language": _LANGUAGE}},
    }


def updated_translation(session: dict[str, Any], update: Any) -> dict[str, Any]:
    """Return the session with an update merged in; type and model are not for an update (API reference).

    Raises:
        Refusal: something in it is refused, and then all of it is.
    """
    sound: dict[str, Any] = TRANSLATION_SESSION(update, "session").get("audio", {})
    result = copy.deepcopy(session)
    result["audio"]["input"].update(sound.get("input", {}))
    result["audio"]["output"].update(sound.get("output", {}))
    if not result["audio"]["output"]["language"]:
        raise Refusal(
            "Invalid 'session.audio.output.language': empty string. Expected a language such as 'es'.",
            code="invalid_value",
            param="session.audio.output.language",
        )
    return result
