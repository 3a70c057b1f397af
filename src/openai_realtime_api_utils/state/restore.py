"""Say what a new session is given of a conversation that an old one held.

Only what the API reference declares for items that clients create: text, images, calls and their outputs. Sound that
the assistant made cannot be given back, so its item returns as the words of it that were heard.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .items import Item, Part
from .transcript import transcript

ItemParam: TypeAlias = dict[str, Any]
"""An item as ``conversation.item.create`` takes it, with its id."""

UNTRANSCRIBED = "[speech that was not transcribed]"
"""Stands for what the user said, or for the rest of it, where neither its words nor its sound are left."""

LOST_OUTPUT = json.dumps({"error": "The program ended while this ran. It is not known whether it took effect."})
"""The output of a call whose program died: running it again might do it twice."""

_LETTERS_PER_TOKEN = 3
"""Fewer than English has, so that what fits by this count fits by the service's own."""

_TOKENS_OF_AN_IMAGE = 1_500
_TOKENS_OF_AN_ITEM = 8


@dataclass(frozen=True)
class Restored:
    """Be one item for the new session."""

    param: ItemParam = field(repr=False)
    fallback: ItemParam | None = field(default=None, repr=False)
    """What is sent where the server refuses ``param``."""

    @property
    def id(self) -> str:
        """The item's id, which it keeps."""
        return self.param["id"]


def restored(
    items: Iterable[Item],
    *,
    heard: Callable[[Item], str] = lambda item: item.heard_text,
    user_audio: Mapping[str, str] | None = None,
) -> list[Restored]:
    """Return what is restored of a conversation's items, in their order.

    Left out are: the assistant's words that nobody heard; calls whose arguments never came whole, and outputs without
    their call; lists of MCP tools, which the server makes anew.

    Args:
        items: the items in the server's order.
        heard: the words of an item of the assistant that were heard, or will have been when its sound is out.
        user_audio: sound of the user's that is kept, base64 in the session's format, by item id; it is used where
            there is no transcript.
    """
    found: list[Restored] = []
    calls: set[str] = set()
    for item in items:
        one = _restored(item, heard, user_audio or {})
        if one is None:
            continue
        if one.param["type"] == "function_call":
            calls.add(one.param["call_id"])
        elif one.param["type"] == "function_call_output" and one.param["call_id"] not in calls:
            continue
        found.append(one)
    return found


def _restored(item: Item, heard: Callable[[Item], str], user_audio: Mapping[str, str]) -> Restored | None:
    match item.type:
        case "message":
            content = _content(item, heard, user_audio.get(item.id))
            return (
                Restored({"id": item.id, "type": "message", "role": item.role, "content": content}) if content else None
            )
        case "function_call" if is_whole_call(item):
            told = {"name": item.name, "call_id": item.call_id, "arguments": item.arguments or ""}
            return Restored({"id": item.id, "type": "function_call", **told})
        case "function_call_output" if item.call_id:
            told = {"call_id": item.call_id, "output": item.output or ""}
            return Restored({"id": item.id, "type": "function_call_output", **told})
        case "mcp_call":
            names = ("server_label", "name", "output", "error", "approval_request_id")
            told = {name: item.details[name] for name in names if item.details.get(name) is not None}
            param = {"id": item.id, "type": "mcp_call", "arguments": item.arguments or "", **told}
            return Restored(param, _as_system_line(item))
        case "mcp_approval_request" | "mcp_approval_response":
            return Restored(_as_system_line(item))
        case _:
            return None


def is_whole_call(item: Item) -> bool:
    """Tell whether an item is a function call of which all is known, so that somebody may be answering it."""
    is_complete = item.status == "completed" or item.growing_arguments.is_final
    return item.type == "function_call" and bool(item.call_id and item.name) and is_complete


def is_torso(item: Item) -> bool:
    """Tell whether an item was begun, and has nothing that could be restored or still sound."""
    if item.type == "function_call":
        return not is_whole_call(item)
    return item.type == "message" and item.role == "assistant" and not item.text and not item.audio_ms


def _content(item: Item, heard: Callable[[Item], str], audio: str | None) -> list[dict[str, Any]]:
    if item.role == "assistant":
        words = heard(item)
        return [{"type": "output_text", "text": words}] if words else []
    return [param for part in item.content if (param := _part(part, audio)) is not None]


def _part(part: Part, audio: str | None) -> dict[str, Any] | None:
    if part.type == "input_image":
        detail = {"detail": part.detail} if part.detail else {}
        return {"type": "input_image", "image_url": part.image_url, **detail} if part.image_url else None
    if part.type == "input_audio" and not part.growing.is_final:  # what is transcribed so far may be but the beginning
        if audio:
            return {"type": "input_audio", "audio": audio}
        return {"type": "input_text", "text": f"{part.text} {UNTRANSCRIBED}".strip()}
    return {"type": "input_text", "text": part.text} if part.text else None


def _as_system_line(item: Item) -> ItemParam:
    content = [{"type": "input_text", "text": transcript([item])}]
    return {"id": item.id, "type": "message", "role": "system", "content": content}


def fitting(found: Sequence[Restored], max_tokens: int) -> int:
    """Return how many of the oldest items are to be left out so that the rest fits into ``max_tokens``.

    The oldest go first, one by one; the output of a call that goes, goes too.
    """
    room, first = max_tokens, len(found)
    while first > 0 and (room := room - _tokens(found[first - 1].param)) >= 0:
        first -= 1
    kept = {one.param["call_id"] for one in found[first:] if one.param["type"] == "function_call"}
    while first < len(found) and _is_orphan(found[first].param, kept):
        first += 1
    return first


def _is_orphan(param: ItemParam, calls: Collection[str]) -> bool:
    return param["type"] == "function_call_output" and param["call_id"] not in calls


def _tokens(param: ItemParam) -> int:
    parts: list[dict[str, Any]] = param.get("content", [])
    images = sum(part["type"] == "input_image" for part in parts)
    seconds = sum(len(part.get("audio") or "") * 3 // 4 // 48_000 for part in parts)
    words = sum(len(str(part.get("text") or "")) for part in parts)  # a server may have sent anything
    words += len(str(param.get("arguments") or "")) + len(str(param.get("output") or ""))
    # the user's sound is 10 tokens a second (API reference)
    return _TOKENS_OF_AN_ITEM + words // _LETTERS_PER_TOKEN + images * _TOKENS_OF_AN_IMAGE + seconds * 10


def summary_item(text: str) -> Restored:
    """Return the item that stands for those that were left out."""
    content = [{"type": "input_text", "text": f"What was said before this, in short: {text}"}]
    return Restored({"id": "resume_summary", "type": "message", "role": "system", "content": content})


def with_lost_outputs(params: Sequence[ItemParam]) -> list[ItemParam]:
    """Return the items with an output for each call that has none, since whoever ran it is gone."""
    answered = {param["call_id"] for param in params if param["type"] == "function_call_output"}
    result: list[ItemParam] = []
    for param in params:
        result.append(param)
        if param["type"] == "function_call" and param["call_id"] not in answered:
            output = {"type": "function_call_output", "call_id": param["call_id"], "output": LOST_OUTPUT}
            result.append({"id": f"lost_{param['id']}"[:32], **output})
    return result


def difference(
    there: Sequence[ItemParam], wanted: Sequence[Restored]
) -> tuple[list[str], list[tuple[Restored, str | None]]]:
    """Return what turns a session that holds ``there`` into one that holds ``wanted``.

    Returns:
        The ids to delete; and then the items to create, in order, each with the id that it comes after: ``"root"`` for
        none, None where it simply comes last.
    """
    by_id = {one.id: one for one in wanted}
    standing = [param["id"] for param in there if param["id"] in by_id and _is_same(param, by_id[param["id"]])]
    deletions = [param["id"] for param in there if param["id"] not in standing]
    left = set(standing)
    creations: list[tuple[Restored, str | None]] = []
    previous = "root"
    for one in wanted:
        if one.id in left:
            left.discard(one.id)
        else:
            creations.append((one, previous if left else None))
        previous = one.id
    return deletions, creations


def _is_same(param: ItemParam, one: Restored) -> bool:
    return param in (one.param, one.fallback)
