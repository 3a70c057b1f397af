"""Say what one event did to the conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from .items import Item
from .reading import read_id
from .record import Conversation


class Change(NamedTuple):
    """Say what an event did."""

    item: Item | None = None
    """The item that the event is about."""
    evicted: tuple[Item, ...] = ()
    """The items that left because there are more than are kept, oldest first."""
    oddity: str | None = None
    """A sentence on what in the event did not fit the conversation as it is known."""


NOTHING = Change()

Changer: TypeAlias = Callable[[Conversation, Any], Change]
"""Changes the conversation as an event of its type says."""

Changes: TypeAlias = Mapping[str, Changer]
"""Event type -> change."""


def mentioned_item(conversation: Conversation, event: object) -> Item | None:
    """Return the item whose id an event bears; it is held if it is not there yet."""
    item_id = read_id(event, "item_id")
    item = conversation.reach(item_id) if item_id else None
    if item is not None and item.response_id is None and item.role != "user":  # what a user says is of no response
        item.response_id = read_id(event, "response_id")
    return item


def is_of_the_user(item: Item) -> None:
    """Learn that an item is what the user said, from an event that does not say what it is."""
    item.type = item.type or "message"
    item.role = item.role or "user"
