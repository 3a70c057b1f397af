"""Encode a client event to the JSON of a text frame.

The service refuses binary frames, so the result is ``str``: the SDK's ``send_raw`` sends it as text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, cast

import openai
import pybase64
from pydantic import BaseModel

from ..errors import LocalProtocolError

APPEND = "input_audio_buffer.append"
"""The event that carries the microphone: fifty a second, so it is written without the general encoder."""


def encode(event: Mapping[str, Any] | BaseModel) -> str:
    """Encode a client event, given as a mapping or as an SDK model.

    Raises:
        LocalProtocolError: it has no ``type``, or holds what JSON cannot say.
    """
    return encode_dict(as_dict(event))


def encode_dict(fields: Mapping[str, Any]) -> str:
    """Encode what ``as_dict`` returned.

    Raises:
        LocalProtocolError: it holds what JSON cannot say.
    """
    if fields["type"] == APPEND and (frame := _append(fields)) is not None:
        return frame
    try:
        return json.dumps(fields, separators=(",", ":"), allow_nan=False, default=_plain)
    except (TypeError, ValueError) as cause:
        raise LocalProtocolError(
            f"The event {fields['type']} cannot be written as JSON: {cause}.", event=fields
        ) from cause


def _append(fields: Mapping[str, Any]) -> str | None:
    """Write an append; None if there is more to it than sound and perhaps an id."""
    audio, event_id = fields.get("audio"), fields.get("event_id")
    if type(audio) is not str or len(fields) != (2 if event_id is None else 3):
        return None
    try:  # to stand between quotes as it is; decoding it costs a tenth of looking for what cannot
        pybase64.b64decode(audio, validate=True)
    except ValueError:
        return None
    if event_id is None:
        return f'{{"type":"{APPEND}","audio":"{audio}"}}'
    if type(event_id) is not str:
        return None
    return f'{{"type":"{APPEND}","event_id":{encode_basestring_ascii(event_id)},"audio":"{audio}"}}'


def as_dict(event: Mapping[str, Any] | BaseModel) -> dict[str, Any]:
    """Return a client event as a dict, the shape in which handlers see it; a dict is returned as it is.

    Raises:
        LocalProtocolError: it is neither, or has no ``type``.
    """
    given: Any = event
    if type(given) is dict and type(given.get("type")) is str:  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        return cast("dict[str, Any]", given)
    fields: object = event
    if not isinstance(event, dict) and isinstance(cast("object", event), BaseModel | Mapping):
        fields = _plain(event)
    if not isinstance(fields, dict) or not isinstance(cast("dict[str, Any]", fields).get("type"), str):
        raise LocalProtocolError(
            f"A client event is a dict or an SDK event with a 'type', but this is {type(event).__name__}: "
            f"{str(event)[:80]!r}.",
            event=event,
        )
    return cast("dict[str, Any]", fields)


def _plain(value: object) -> Any:
    """Write what the ``json`` module cannot, the way the SDK does: set fields only, under their API names."""
    if isinstance(value, openai.BaseModel):
        return value.to_dict(mode="json", use_api_names=True, exclude_unset=True)
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    hint = "; send base64 text (pybase64.b64encode(...).decode())" if isinstance(value, bytes | bytearray) else ""
    raise TypeError(f"{type(value).__name__} is not JSON{hint}")
