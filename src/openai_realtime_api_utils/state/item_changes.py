"""Say what events about whole items change.

``conversation.item.added`` gives the order. ``conversation.item.done`` does not: on items that the model made it names
no predecessor where there is one (recorded sessions).
"""

from __future__ import annotations

from .change import NOTHING, Change, Changes, is_of_the_user, mentioned_item
from .items import Item
from .reading import is_null, plain_dict, read, read_id, read_int
from .record import Conversation


def _item_added(conversation: Conversation, event: object) -> Change:
    sent = plain_dict(read(event, "item"))
    item_id = read_id(sent, "id")
    item = conversation.reach(item_id, revive=True) if item_id else None
    if item is None:
        return NOTHING
    item.take(sent, is_final=False)
    if item.is_ordered or item.is_out_of_band:
        return Change(item)
    return _order(conversation, item, event)


def _order(conversation: Conversation, item: Item, event: object) -> Change:
    previous = item.previous_item_id = read_id(event, "previous_item_id")
    item.is_ordered = True
    if previous is None:
        # An item inserted at the root names no predecessor (reported); only the client's own can be: speech, the
        # user's as the model's, comes at the end. The beta's name for this event is used without naming predecessors.
        may_be_inserted = item.response_id is None and not item.is_spoken_in
        if may_be_inserted and read(event, "type") == "conversation.item.added" and is_null(event, "previous_item_id"):
            conversation.insert_first(item)
        else:
            conversation.append(item)
    elif not conversation.insert_after(item, previous):
        return Change(item, oddity=f"The item {item.id} was added after {previous}, which is not known here.")
    return Change(item)


def _item_done(conversation: Conversation, event: object) -> Change:
    sent = plain_dict(read(event, "item"))
    item_id = read_id(sent, "id")
    item = conversation.reach(item_id) if item_id else None
    if item is None:
        return NOTHING
    item.take(sent, is_final=True)
    if not conversation.is_placed(item):  # from a server that does not say "added"
        previous = read_id(event, "previous_item_id")
        if previous is None:
            conversation.append(item)
        else:
            conversation.insert_after(item, previous)
    return Change(item)


def _item_retrieved(conversation: Conversation, event: object) -> Change:
    sent = plain_dict(read(event, "item"))
    item = conversation.item(read_id(sent, "id") or "")
    if item is not None:
        item.take(sent, is_final=True)
    return Change(item)


def _item_truncated(conversation: Conversation, event: object) -> Change:
    item_id = read_id(event, "item_id") or ""
    item, asked = conversation.item(item_id), conversation.expected_truncation(item_id)
    if item is not None:
        part = item.part(read_int(event, "content_index"))
        # A server that says it cut later than it was asked to, or than it did before, does not know what was heard.
        told = (read_int(event, "audio_end_ms"), asked, part.truncated_ms)
        part.truncated_ms = min((ms for ms in told if ms is not None), default=None)
    return Change(item)


def _item_deleted(conversation: Conversation, event: object) -> Change:
    item_id = read_id(event, "item_id")
    return Change(conversation.delete(item_id)) if item_id else NOTHING


def _committed(conversation: Conversation, event: object) -> Change:
    item = mentioned_item(conversation, event)
    if item is not None:
        item.is_spoken_in = True
        is_of_the_user(item)
    return Change(item)


ITEM_CHANGES: Changes = {
    "conversation.item.added": _item_added,
    "conversation.item.created": _item_added,  # the beta's name; some servers still use it
    "conversation.item.done": _item_done,
    "conversation.item.retrieved": _item_retrieved,
    "conversation.item.truncated": _item_truncated,
    "conversation.item.deleted": _item_deleted,
    "input_audio_buffer.committed": _committed,
}
