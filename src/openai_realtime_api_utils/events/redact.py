"""Show an event without its audio, its images and its secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel

_SECRET_KEYS = frozenset({"authorization", "api_key", "client_secret", "headers", "access_token"})
_SECRET_TEXT = re.compile(r"\b(?:sk|ek)[-_][A-Za-z0-9_\-*.]{4,}")
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What commands a terminal, or turns the order of what it shows; new lines and tabs do not."""
_DATA_URI = re.compile(r"data:([\w/+.-]+)?[^,]{0,100},")
_AUDIO_DELTAS = frozenset({"response.output_audio.delta", "response.audio.delta", "session.output_audio.delta"})


def redact(event: Mapping[str, Any] | BaseModel) -> dict[str, Any]:
    """Return a plain copy of an event in which audio and images are told by their size, and secrets are gone."""
    plain = event.model_dump(exclude_unset=True, warnings=False) if isinstance(event, BaseModel) else event
    shown = cast("dict[str, Any]", _shown(plain))
    if shown.get("type") in _AUDIO_DELTAS:
        shown["delta"] = _told(plain.get("delta"))
    return shown


def redact_text(text: str) -> str:
    """Return ``text`` with everything that looks like an API key taken out."""
    return _SECRET_TEXT.sub("<secret>", text)


def visible(text: str) -> str:
    """Return ``text`` with everything that would command a terminal written out, so that it does not."""
    return _STEERING.sub(lambda found: ascii(found[0])[1:-1], text)


def _shown(value: object, key: str = "") -> Any:
    if key == "audio" and isinstance(value, str):
        return _told(value)
    if key.lower() in _SECRET_KEYS and value is not None:
        return "<secret>"
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_unset=True, warnings=False)
    if isinstance(value, Mapping):
        return {k: _shown(v, k) for k, v in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_shown(v) for v in cast("list[object]", value)]
    if isinstance(value, bytes | bytearray):
        return f"<{len(value)} bytes>"
    if isinstance(value, str):
        data = _DATA_URI.match(value)
        return f"<{data[1] or 'data'}, {_decoded_size(value[data.end() :])} bytes>" if data else redact_text(value)
    return value


def _told(payload: object) -> object:
    return f"<{_decoded_size(payload)} bytes of audio>" if isinstance(payload, str) else payload


def _decoded_size(base64_text: str) -> int:
    return len(base64_text) * 3 // 4 - base64_text[-2:].count("=")
