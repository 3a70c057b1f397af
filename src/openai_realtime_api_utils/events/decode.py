"""Decode a frame to the SDK's typed event, quickly, and without ever losing one.

A discriminated union over the SDK's own event classes, validated straight from the bytes, costs a fraction of the
SDK's own parse (``make bench`` measures it). What it does not take is built as the SDK would build it: unchecked,
nothing dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast, get_args

import openai
from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator, from_json

from ..errors import RemoteProtocolError
from .discriminate import discriminated

if TYPE_CHECKING:
    from openai.types.realtime import RealtimeServerEvent

_SHOWN = 80
"""How many characters of an unreadable frame a message shows."""


class UnknownEvent(openai.BaseModel):
    """Be a server event of a type that the installed SDK does not know; its fields are attributes."""

    type: str


def decode(frame: bytes | str) -> RealtimeServerEvent:
    """Decode one text frame from the server.

    A conversation's and a translation's ``session.*`` events have the same names; the type of the session inside tells
    them apart. Whatever fails validation comes back unchecked: fields may be missing or of another type.

    Raises:
        RemoteProtocolError: the frame is not a JSON object with a ``type``.
    """
    parsers = _parsers()
    try:
        return parsers.conversation(frame)
    except ValidationError:
        pass
    try:
        return parsers.translation(frame)
    except ValidationError:
        return _unchecked(frame)


def prepare() -> None:
    """Build what decoding needs, which takes a tenth of a second, once: before the first event, not while it waits."""
    _parsers()


def _unchecked(frame: bytes | str) -> Any:
    try:
        value: object = from_json(frame)
    except ValueError as cause:
        raise RemoteProtocolError(
            f"The server sent a frame that is not JSON: {_shown(frame)} ({cause}).", event=frame
        ) from cause
    if not isinstance(value, dict) or not isinstance(cast("dict[str, Any]", value).get("type"), str):
        raise RemoteProtocolError(f"The server sent JSON without an event type: {_shown(frame)}.", event=frame)
    event = cast("dict[str, Any]", value)
    parsers = _parsers()
    session: object = event.get("session")
    is_translation = isinstance(session, dict) and cast("dict[str, Any]", session).get("type") == "translation"
    known = parsers.translation_types if is_translation else parsers.types
    return known.get(event["type"], UnknownEvent).construct(**event)


_Types: TypeAlias = dict[str, type[openai.BaseModel]]


class _Parsers(NamedTuple):
    conversation: Callable[[bytes | str], Any]
    translation: Callable[[bytes | str], Any]
    types: _Types
    """Event type -> class; of a name that both have, the conversation's."""
    translation_types: _Types
    """The same; of a name that both have, the translation's."""


@cache
def _parsers() -> _Parsers:
    """Build the parsers on first use: importing the SDK's event types takes a while."""
    from openai.types.realtime import RealtimeServerEvent, RealtimeTranslationServerEvent

    unions = [get_args(event)[0] for event in (RealtimeServerEvent, RealtimeTranslationServerEvent)]
    conversation, translation = (
        SchemaValidator(discriminated(TypeAdapter[Any](union).core_schema)).validate_json for union in unions
    )
    types, translation_types = (
        {get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(union)} for union in unions
    )
    return _Parsers(conversation, translation, {**translation_types, **types}, {**types, **translation_types})


def _shown(frame: bytes | str) -> str:
    start = frame[:_SHOWN]
    text = start.decode(errors="replace") if isinstance(start, bytes) else start
    return repr(text) + ("..." if len(frame) > _SHOWN else "")
