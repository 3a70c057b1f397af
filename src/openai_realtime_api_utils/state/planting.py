"""Put a configuration and items into a session, and know which of the server's answers are echoes of that.

Sends nothing: it says what to send, and takes what comes back. An item that the server refuses is tried in its other
shape, then without its id; where the server gives it an id of its own, the two ids are known as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from .reading import plain_dict, read, read_id, read_text
from .restore import ItemParam, Restored

_Event: TypeAlias = dict[str, Any]

PREFIX = "resume_"
"""With what the ids of our own events begin."""

ITEM_ECHOES = frozenset({"conversation.item.added", "conversation.item.created", "conversation.item.done"})
"""What answers ``conversation.item.create``: one of the names, or two."""


@dataclass
class _Asked:
    """Be one item on its way."""

    restored: Restored
    previous: str | None
    before: str | None
    """What had been put in just before it."""
    param: ItemParam


class Planting:
    """Know what was put into one session."""

    def __init__(self, *, shows_items: bool = False) -> None:
        """Begin with an empty session.

        Args:
            shows_items: whether the items are news to the one who tracks the conversation, so that they are no echoes.
        """
        self._shows_items = shows_items
        self.there: dict[str, ItemParam] = {}
        """What is in the session by our doing, by the ids under which the conversation knows it."""
        self.out: list[_Event] = []
        """What is to be sent because of what was taken; whoever sends it empties this."""
        self.problems: list[str] = []
        """Sentences on what could not be restored; whoever logs them empties this."""
        self.server_ids: dict[str, str] = {}
        """The server's id of an item, where it is not the conversation's: server's -> ours."""
        self._asked: dict[str, _Asked] = {}
        self._configuring: dict[str, None] = {}
        self._deleting: dict[str, None] = {}
        self._count = 0

    @property
    def is_settled(self) -> bool:
        """Whether the server has answered all that was asked."""
        return not (self._asked or self._configuring or self._deleting)

    @property
    def configuring(self) -> tuple[str, ...]:
        """The event ids of the updates of ours that are not answered."""
        return tuple(self._configuring)

    def configure(self, session: Mapping[str, Any]) -> _Event:
        """Return the event that configures the session."""
        event_id = self._new_id()
        self._configuring[event_id] = None
        return {"type": "session.update", "event_id": event_id, "session": dict(session)}

    def plant(self, deletions: Iterable[str], creations: Sequence[tuple[Restored, str | None]]) -> list[_Event]:
        """Return the events that delete and create items."""
        events: list[_Event] = []
        for item_id in deletions:
            self.there.pop(item_id, None)
            self._deleting[item_id] = None
            events.append({"type": "conversation.item.delete", "event_id": self._new_id(), "item_id": item_id})
        events += [self._create(one, previous, one.param) for one, previous in creations]
        return events

    def take(self, event: object) -> bool:
        """Take a server event; return whether it is an echo of ours, which nobody else need see."""
        event_type = read_text(event, "type") or ""
        if event_type in ITEM_ECHOES:
            return self._take_item(plain_dict(read(event, "item"))) and not self._shows_items
        if event_type == "conversation.item.deleted":
            item_id = read_id(event, "item_id") or ""
            is_ours = item_id in self._deleting
            self._deleting.pop(item_id, None)
            if not is_ours:
                self.there.pop(item_id, None)
            return is_ours
        if event_type == "error":
            return self._take_error(read(event, "error"))
        return False

    def configured(self) -> None:
        """Take the ``session.updated`` that answers the oldest update of ours."""
        self._configuring.pop(next(iter(self._configuring), ""), None)

    def forget(self, item_id: str) -> None:
        """Take that the conversation's own owner deletes an item: what comes of its id from now on is no echo."""
        self.there.pop(item_id, None)

    def _create(self, one: Restored, previous: str | None, param: ItemParam) -> _Event:
        event_id = self._new_id()
        before = next(reversed(self.there), None)
        self.there[one.id] = param
        self._asked[event_id] = _Asked(one, previous, before, param)
        event: _Event = {"type": "conversation.item.create", "event_id": event_id, "item": param}
        if previous is not None:
            event["previous_item_id"] = previous
        return event

    def _take_item(self, item: dict[str, Any]) -> bool:
        item_id = read_id(item, "id") or ""
        item_id = self.server_ids.get(item_id, item_id)
        for event_id, asked in self._asked.items():
            if asked.param.get("id") == item_id:
                del self._asked[event_id]
                return True
        if item_id in self.there:
            return True
        for event_id, asked in self._asked.items():
            is_alike = (item.get("type"), item.get("role")) == (asked.param["type"], asked.param.get("role"))
            if is_alike and item_id:  # the server insists on an id of its own
                del self._asked[event_id]
                self.server_ids[item_id] = asked.restored.id
                return True
        return False

    def _take_error(self, error: object) -> bool:
        event_id = read_id(error, "event_id") or ""
        if not event_id.startswith(PREFIX):
            return False
        if event_id in self._configuring:
            del self._configuring[event_id]
            self.problems.append(f"The new session refused the configuration: {read_text(error, 'message')}")
            return True
        asked = self._asked.pop(event_id, None)
        if asked is None:
            self._deleting.clear()  # what was to be deleted is gone
            return True
        self.there.pop(asked.restored.id, None)
        again = self._other_shape(asked)
        if again is None:
            self.problems.append(f"The new session refused the item {asked.restored.id}: {read_text(error, 'message')}")
        else:
            self.out.append(self._create(asked.restored, self._place_of(asked), again))
        return True

    def _other_shape(self, asked: _Asked) -> ItemParam | None:
        one = asked.restored
        if asked.param is one.param and one.fallback is not None:
            return one.fallback
        return {k: v for k, v in asked.param.items() if k != "id"} if "id" in asked.param else None

    def _place_of(self, asked: _Asked) -> str | None:
        """Return what a refused item is to come after, now that those after it may stand."""
        if asked.previous is not None or next(reversed(self.there), None) == asked.before:
            return asked.previous
        return asked.before or "root"

    def _new_id(self) -> str:
        self._count += 1
        return f"{PREFIX}{self._count}"
