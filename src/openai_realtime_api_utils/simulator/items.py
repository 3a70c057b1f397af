"""Check the items that clients create, and give them the shape in which the service returns them."""

from __future__ import annotations

import binascii
from typing import Any

import pybase64

from .checks import Check, anything, boolean, list_of, mapping, one_of, or_null, shape, shape_by, text, too_long
from .images import checked_image
from .refusals import Refusal, missing

MAX_ID_CHARS = 32
"""Longest id that a client may choose (reported)."""

_APPEND_LIMIT = 15 * 1024 * 1024
"""Bytes of sound in one append (API reference)."""
AUDIO_WANTED = "Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got"


def decoded_audio(value: Any, path: str) -> bytes:
    """Return the bytes behind a base64 text.

    Raises:
        Refusal: it is no base64, or there are none (both reported in these words).
    """
    try:
        data = pybase64.b64decode(text(value, path), validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(f"Invalid '{path}'. {AUDIO_WANTED} an invalid value.", code="invalid_value", param=path) from None
    if not data:
        raise Refusal(f"Invalid '{path}'. {AUDIO_WANTED} empty bytes.", code="invalid_value", param=path)
    return data


def appended_audio(event: dict[str, Any]) -> bytes:
    """Return the sound of an append.

    Raises:
        Refusal: it has none, or too much at once.
    """
    if "audio" not in event:
        raise missing("audio")
    audio = text(event["audio"], "audio")
    limit = _APPEND_LIMIT // 3 * 4
    if len(audio) > limit:
        raise too_long("audio", len(audio), limit)
    return decoded_audio(audio, "audio")


def _audio(value: Any, path: str) -> str:
    decoded_audio(value, path)
    return value


def _id(value: Any, path: str) -> str:
    if not 1 <= len(text(value, path)) <= MAX_ID_CHARS:
        raise Refusal(
            f"Invalid '{path}': string too long. Expected a string with maximum length {MAX_ID_CHARS}, "
            f"but got a string with length {len(value)} instead."
            if value
            else f"Invalid '{path}': empty string. Expected a string with minimum length 1.",
            code="string_above_max_length" if value else "string_below_min_length",
            param=path,
        )
    return value


_INPUT_TEXT = shape({"type": text, "text": text}, required=["text"])
_OUTPUT_TEXT = shape({"type": text, "text": text}, required=["text"])
_INPUT_AUDIO = shape({"type": text, "audio": _audio, "transcript": or_null(text)}, required=["audio"])
_INPUT_IMAGE = shape(
    {"type": text, "image_url": checked_image, "detail": one_of("auto", "low", "high")}, required=["image_url"]
)

_CONTENT: dict[str, Check] = {
    "system": list_of(shape_by("type", {"input_text": _INPUT_TEXT})),
    "user": list_of(
        shape_by("type", {"input_text": _INPUT_TEXT, "input_audio": _INPUT_AUDIO, "input_image": _INPUT_IMAGE})
    ),
    "assistant": list_of(shape_by("type", {"output_text": _OUTPUT_TEXT})),
}
"""What a message of each role may hold. Assistant audio cannot be seeded (API reference)."""

_STATUS = one_of("completed", "incomplete", "in_progress")
_COMMON: dict[str, Check] = {"id": _id, "type": text, "object": text, "status": _STATUS}


def _message(value: Any, path: str) -> dict[str, Any]:
    role = mapping(value, path).get("role")
    if role is None:
        raise missing(f"{path}.role")
    one_of(*_CONTENT)(role, f"{path}.role")
    fields: dict[str, Check] = {**_COMMON, "role": text, "content": _CONTENT[role]}
    if role == "assistant":
        fields["phase"] = or_null(one_of("commentary", "final_answer"))
    return shape(fields, required=["content"])(value, path)


_MCP_CALL: dict[str, Check] = {"id": _id, "type": text, "server_label": text, "name": text, "arguments": text}
_MCP_CALL_NEEDS = ("server_label", "name", "arguments")
_ITEM = shape_by(
    "type",
    {
        "message": _message,
        "function_call": shape(
            {**_COMMON, "name": text, "call_id": _id, "arguments": text}, required=["name", "arguments"]
        ),
        "function_call_output": shape({**_COMMON, "call_id": _id, "output": text}, required=["call_id", "output"]),
        "mcp_approval_response": shape(
            {"id": _id, "type": text, "approval_request_id": text, "approve": boolean, "reason": or_null(text)},
            required=["approval_request_id", "approve"],
        ),
        "mcp_list_tools": shape(
            {"id": _id, "type": text, "server_label": text, "tools": list_of(mapping)},
            required=["server_label", "tools"],
        ),
        "mcp_approval_request": shape(_MCP_CALL, required=_MCP_CALL_NEEDS),
        "mcp_call": shape(
            {
                **_MCP_CALL,
                "approval_request_id": or_null(text),
                "output": text,
                "error": shape({"type": text, "code": anything, "message": text}, required=["type", "message"]),
            },
            required=_MCP_CALL_NEEDS,
        ),
    },
)


def checked_item(value: Any, path: str) -> dict[str, Any]:
    """Return a client's item, checked; it may lack an id.

    Raises:
        Refusal: it is not an item that this simulator or the service takes.
    """
    return _ITEM(value, path)


def checked_reference(value: Any, path: str) -> str | dict[str, Any]:
    """Check one entry of a response's ``input``: an item, or the id that an ``item_reference`` names."""
    if mapping(value, path).get("type") == "item_reference":
        return shape({"type": text, "id": text}, required=["id"])(value, path)["id"]
    return checked_item(value, path)


def as_stored(item: dict[str, Any], *, item_id: str, call_id: str) -> dict[str, Any]:
    """Return a client's item as the conversation holds and returns it: without ``object``, completed."""
    stored = {key: value for key, value in item.items() if key not in ("object", "status")}
    kind: str = stored.pop("type")
    base: dict[str, Any] = {"id": stored.pop("id", item_id), "type": kind}
    if kind == "function_call_output" or kind.startswith("mcp_"):
        return base | stored  # has no status (recorded sessions; API reference)
    if kind == "function_call":
        stored.setdefault("call_id", call_id)
        return base | {"status": "completed"} | stored
    stored["content"] = [_without_audio(part) for part in stored["content"]]
    return base | {"status": "completed", "role": stored.pop("role")} | stored


def _without_audio(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] != "input_audio":
        return part
    return {"type": "input_audio", "transcript": part.get("transcript")}


def spoken_audio(item: dict[str, Any]) -> bytes:
    """Return the sound that a client put into the item; ``b""`` if there is none."""
    return b"".join(
        pybase64.b64decode(part["audio"]) for part in item.get("content", ()) if part["type"] == "input_audio"
    )
