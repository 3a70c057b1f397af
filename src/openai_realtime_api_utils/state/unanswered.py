"""Remember what was sent until the server has answered it: what it has not when the connection breaks is sent again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from .planting import ITEM_ECHOES
from .reading import is_null, plain_dict, read, read_id, read_text

_Event: TypeAlias = dict[str, Any]

_ANSWERED = frozenset(
    {
        "session.update",
        "input_audio_buffer.commit",
        "conversation.item.create",
        "conversation.item.delete",
        "conversation.item.truncate",
        "response.create",
    }
)
"""The events that the server answers, so that one can know that it has taken them."""

_REMEMBERED = 1_000
"""How many may wait for an answer; the oldest are forgotten. The service answers within a second (reported)."""


class Unanswered:
    """Hold the events without an answer in the order in which they were sent."""

    def __init__(self) -> None:
        self._events: dict[int, _Event] = {}
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._events)

    def sent(self, event: _Event) -> _Event:
        """Take note of an event; return it as it is to be sent: with an id, so that a refusal can name it."""
        if event["type"] not in _ANSWERED:
            return event
        self._count += 1
        if not event.get("event_id"):
            event = {**event, "event_id": f"again_{self._count}"}
        self._events[self._count] = event
        if len(self._events) > _REMEMBERED:
            del self._events[next(iter(self._events))]
        return event

    def answered(self, event: object) -> _Event | None:
        """Take a server event; return what it answers."""
        event_type = read_text(event, "type") or ""
        if event_type == "error":
            return self._pop(event_id=read_id(read(event, "error"), "event_id"))
        if event_type == "session.updated":
            return self._pop("session.update")
        if event_type == "input_audio_buffer.committed":
            return self._pop("input_audio_buffer.commit")
        if event_type in ITEM_ECHOES:
            return self._pop_created(plain_dict(read(event, "item")))
        if event_type in ("conversation.item.deleted", "conversation.item.truncated"):
            return self._pop(f"{event_type[:-1]}", item_id=read_id(event, "item_id"))
        if event_type == "response.created":
            is_apart = is_null(read(event, "response"), "conversation_id")
            return self._pop("response.create", is_apart=is_apart)
        return None

    def take(self) -> list[_Event]:
        """Return all of them, and forget them."""
        events, self._events = list(self._events.values()), {}
        return events

    def _pop(self, event_type: str | None = None, **wanted: Any) -> _Event | None:
        if event_type is None and wanted.get("event_id") is None:
            return None
        for key, event in self._events.items():
            told = {"event_id": event.get("event_id"), "item_id": event.get("item_id"), "is_apart": is_apart(event)}
            if event_type in (None, event["type"]) and all(told[name] == value for name, value in wanted.items()):
                return self._events.pop(key)
        return None

    def _pop_created(self, item: Mapping[str, Any]) -> _Event | None:
        creations = [(key, event) for key, event in self._events.items() if event["type"] == "conversation.item.create"]
        for key, event in creations:
            if read_id(event.get("item"), "id") == item.get("id"):
                return self._events.pop(key)
        for key, event in creations:  # one without an id, or one that a server gave an id of its own
            sent = event.get("item")
            is_alike = (read(sent, "type"), read(sent, "role")) == (item.get("type"), item.get("role"))
            answers_same = read(sent, "call_id") is not None and read(sent, "call_id") == item.get("call_id")
            if is_alike and (read_id(sent, "id") is None or answers_same):
                return self._events.pop(key)
        return None


def is_apart(event: Mapping[str, Any]) -> bool:
    """Tell whether a ``response.create`` asks for a response that writes to no conversation."""
    return read(event.get("response"), "conversation") == "none"
