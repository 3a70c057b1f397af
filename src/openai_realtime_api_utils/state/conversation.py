"""Say what each event of the server changes in the conversation: a table, event type -> change."""

from __future__ import annotations

from .change import NOTHING, Change, Changes
from .item_changes import ITEM_CHANGES
from .piece_changes import PIECE_CHANGES
from .reading import read_id, read_int, read_text
from .record import Conversation
from .response_changes import RESPONSE_CHANGES

__all__ = ["CHANGES", "Change", "Conversation", "apply", "apply_client"]

CHANGES: Changes = {**ITEM_CHANGES, **RESPONSE_CHANGES, **PIECE_CHANGES}
"""All events that change a conversation; what is not in it changes nothing."""


def apply(conversation: Conversation, event: object) -> Change:
    """Change the conversation as a server event says; an unknown event changes nothing, and none raises.

    The cost does not depend on how long the conversation is.
    """
    kind = read_text(event, "type") or ""
    change_by = PIECE_CHANGES.get(kind)
    if change_by is not None:
        return change_by(conversation, event)  # no item comes by it
    change_by = CHANGES.get(kind)
    if change_by is None:
        return NOTHING
    change = change_by(conversation, event)
    evicted = conversation.evict()
    return change._replace(evicted=evicted) if evicted else change


def apply_client(conversation: Conversation, event: object) -> None:
    """Note what a client event asks for that the server's answer may leave out."""
    if read_text(event, "type") == "conversation.item.truncate":
        item_id, audio_end_ms = read_id(event, "item_id"), read_int(event, "audio_end_ms")
        if item_id is not None and audio_end_ms is not None:
            conversation.expect_truncation(item_id, audio_end_ms)
