"""Say what events about pieces of items change: parts, deltas, arguments, transcriptions.

Pieces may come before their item does: a transcription that streams begins while the user still speaks (recorded
sessions). They may also come after it is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .change import NOTHING, Change, Changer, Changes, is_of_the_user, mentioned_item
from .items import Part, Segment
from .reading import plain_dict, read, read_id, read_int, read_number, read_text
from .record import Conversation
from .responses import Response


@dataclass(slots=True, eq=False)
class _Mentioned:
    """Be a part that events are about, as most are about the same as the one before."""

    item_id: str
    content_index: int
    part: Part
    response: Response | None
    change: Change
    """What such an event comes to."""


def _mentioned_part(conversation: Conversation, event: Any, part_type: str) -> _Mentioned | None:
    last: _Mentioned | None = conversation.grew_last
    try:
        if last is not None and event.item_id == last.item_id and event.content_index == last.content_index:
            return last
    except AttributeError:
        pass  # it does not say what it is about in the way of the one before
    item = mentioned_item(conversation, event)
    if item is None:
        return None
    if part_type == "input_audio":
        is_of_the_user(item)
    index = read_int(event, "content_index") or 0
    part = item.part(index)
    if part.type is None:
        part.type = part_type
    response = conversation.response(read_id(event, "response_id") or "")
    mentioned = _Mentioned(item.id, index, part, response, Change(item))
    if conversation.is_placed(item) and (item.response_id is not None or item.role == "user"):
        conversation.grew_last = mentioned  # there is nothing more to learn of the item from the next delta
    return mentioned


def _text_delta(part_type: str) -> Changer:
    def change(conversation: Conversation, event: object) -> Change:
        mentioned = _mentioned_part(conversation, event, part_type)
        if mentioned is None:
            return NOTHING
        mentioned.part.growing.add(read_text(event, "delta") or "")
        return mentioned.change

    return change


def _text_done(part_type: str, field: str) -> Changer:
    def change(conversation: Conversation, event: object) -> Change:
        mentioned = _mentioned_part(conversation, event, part_type)
        if mentioned is None:
            return NOTHING
        whole = read_text(event, field)
        if whole is not None:
            mentioned.part.growing.settle(whole)
        return mentioned.change

    return change


def _audio_delta(conversation: Conversation, event: object) -> Change:
    mentioned = _mentioned_part(conversation, event, "output_audio")
    if mentioned is None:
        return NOTHING
    part, response, encoded = mentioned.part, mentioned.response, read_text(event, "delta") or ""
    part.audio_bytes += len(encoded) * 3 // 4 - encoded.count("=", -2)
    part.audio_format = conversation.audio_format if response is None else response.audio_format
    return mentioned.change


def _content_part(conversation: Conversation, event: object, *, is_final: bool) -> Change:
    item = mentioned_item(conversation, event)
    if item is not None:
        item.take_part(read_int(event, "content_index") or 0, plain_dict(read(event, "part")), is_final=is_final)
    return Change(item)


def _content_part_added(conversation: Conversation, event: object) -> Change:
    return _content_part(conversation, event, is_final=False)


def _content_part_done(conversation: Conversation, event: object) -> Change:
    return _content_part(conversation, event, is_final=True)


def _transcription_segment(conversation: Conversation, event: object) -> Change:
    mentioned = _mentioned_part(conversation, event, "input_audio")
    if mentioned is None:
        return NOTHING
    segments = mentioned.part.segments
    segment_id = read_id(event, "id") or str(len(segments))
    segments[segment_id] = Segment(
        segment_id,
        read_text(event, "text") or "",
        read_text(event, "speaker"),
        read_number(event, "start"),
        read_number(event, "end"),
    )
    return mentioned.change


def _transcription_failed(conversation: Conversation, event: object) -> Change:
    mentioned = _mentioned_part(conversation, event, "input_audio")
    if mentioned is None:
        return NOTHING
    mentioned.part.error = plain_dict(read(event, "error"))
    return mentioned.change


def _arguments_delta(conversation: Conversation, event: object) -> Change:
    item = mentioned_item(conversation, event)
    if item is not None:
        item.growing_arguments.add(read_text(event, "delta") or "")
    return Change(item)


def _arguments_done(conversation: Conversation, event: object) -> Change:
    item = mentioned_item(conversation, event)
    whole = read_text(event, "arguments")
    if item is not None and whole is not None:
        item.growing_arguments.settle(whole)
        told = {name: read_text(event, name) for name in ("name", "call_id")}
        item.details.update({name: value for name, value in told.items() if value is not None})
    return Change(item)


def _status(status: str) -> Changer:
    def change(conversation: Conversation, event: object) -> Change:
        item = mentioned_item(conversation, event)
        if item is not None:
            item.status = status
        return Change(item)

    return change


PIECE_CHANGES: Changes = {
    "conversation.item.input_audio_transcription.delta": _text_delta("input_audio"),
    "conversation.item.input_audio_transcription.segment": _transcription_segment,
    "conversation.item.input_audio_transcription.completed": _text_done("input_audio", "transcript"),
    "conversation.item.input_audio_transcription.failed": _transcription_failed,
    "response.content_part.added": _content_part_added,
    "response.content_part.done": _content_part_done,
    "response.output_text.delta": _text_delta("output_text"),
    "response.output_text.done": _text_done("output_text", "text"),
    "response.output_audio.delta": _audio_delta,
    "response.output_audio_transcript.delta": _text_delta("output_audio"),
    "response.output_audio_transcript.done": _text_done("output_audio", "transcript"),
    "response.function_call_arguments.delta": _arguments_delta,
    "response.function_call_arguments.done": _arguments_done,
    "response.mcp_call_arguments.delta": _arguments_delta,
    "response.mcp_call_arguments.done": _arguments_done,
    "response.mcp_call.in_progress": _status("in_progress"),
    "response.mcp_call.completed": _status("completed"),
    "response.mcp_call.failed": _status("failed"),
    "mcp_list_tools.in_progress": _status("in_progress"),
    "mcp_list_tools.completed": _status("completed"),
    "mcp_list_tools.failed": _status("failed"),
}
