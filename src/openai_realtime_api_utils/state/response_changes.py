"""Say what events about responses, and about items as parts of them, change."""

from __future__ import annotations

from ..audio.formats import AudioFormat, format_of
from ..errors import FormatError
from .change import NOTHING, Change, Changes
from .items import Item
from .reading import is_null, plain_dict, read, read_id, read_list, read_text
from .record import Conversation
from .responses import Response


def _session(conversation: Conversation, event: object) -> Change:
    conversation.audio_format = _output_format(read(event, "session"), conversation.audio_format)
    return NOTHING


def _output_format(configured: object, default: AudioFormat) -> AudioFormat:
    stated = read(read(read(configured, "audio"), "output"), "format")
    try:
        return default if stated is None else format_of(stated)
    except FormatError:
        return default


def _response_created(conversation: Conversation, event: object) -> Change:
    response = _stated_response(conversation, event)
    if response is None:
        return NOTHING
    _state(response, read(event, "response"))
    if not response.is_out_of_band:  # a conversation has one at a time: the end of any other was lost on its way
        for other in [each for each in conversation.open_responses.values() if not each.is_out_of_band]:
            if other is not response:
                _end(conversation, other, "incomplete")
    return NOTHING


def _response_done(conversation: Conversation, event: object) -> Change:
    stated = read(event, "response")
    response = _stated_response(conversation, event)
    if response is None:
        return NOTHING
    _state(response, stated)
    if response.is_out_of_band:  # which an unseen response.created would have said earlier
        for item in filter(None, map(conversation.item, response.ids)):
            conversation.set_apart(item)
    response.status = read_text(stated, "status") or "completed"
    response.status_details = plain_dict(read(stated, "status_details")) or None
    for output in read_list(stated, "output"):
        sent = plain_dict(output)
        item_id = read_id(sent, "id")
        item = conversation.reach(item_id) if item_id else None
        if item is not None:
            item.take(sent, is_final=True)
            _join(conversation, response, item)
    _end(conversation, response, response.status)
    return NOTHING


def _end(conversation: Conversation, response: Response, status: str) -> None:
    response.status = status
    if status != "completed":
        for item in filter(None, map(conversation.item, response.ids)):
            if item.status in (None, "in_progress"):
                item.status = "incomplete"
    conversation.close(response)


def _stated_response(conversation: Conversation, event: object) -> Response | None:
    response_id = read_id(read(event, "response"), "id")
    return conversation.open(response_id) if response_id else None


def _state(response: Response, stated: object) -> None:
    """Learn from the server's own record of a response."""
    if is_null(stated, "conversation_id") or read(stated, "conversation_id") == "none":
        response.is_out_of_band = True
    response.metadata = plain_dict(read(stated, "metadata")) or response.metadata
    response.audio_format = _output_format(stated, response.audio_format)


def _output_item(conversation: Conversation, event: object, *, is_final: bool) -> Change:
    sent = plain_dict(read(event, "item"))
    item_id, response_id = read_id(sent, "id"), read_id(event, "response_id")
    item = conversation.reach(item_id) if item_id else None
    if item is None:
        return NOTHING
    item.take(sent, is_final=is_final)
    if response_id is not None:
        _join(conversation, conversation.open(response_id), item)
    else:
        conversation.append(item)
    return Change(item)


def _output_item_added(conversation: Conversation, event: object) -> Change:
    return _output_item(conversation, event, is_final=False)


def _output_item_done(conversation: Conversation, event: object) -> Change:
    return _output_item(conversation, event, is_final=True)


def _join(conversation: Conversation, response: Response, item: Item) -> None:
    """Make an item one of a response's, at the end of the conversation until the server says where it stands."""
    response.ids[item.id] = None
    item.response_id = response.id
    if response.is_out_of_band:
        conversation.set_apart(item)
    else:
        conversation.append(item)


RESPONSE_CHANGES: Changes = {
    "session.created": _session,
    "session.updated": _session,
    "response.created": _response_created,
    "response.done": _response_done,
    "response.output_item.added": _output_item_added,
    "response.output_item.done": _output_item_done,
}
