"""Write the events that answer calls and let the model go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from .calls import Round
from .items import Item
from .reading import read_list, read_text

_NOT_CARRIED = frozenset({"input", "tool_choice", "conversation"})
"""What a request asks of its first response only: its input lies in the conversation by now, and a call that was
demanded has been made."""

_SERVERS_OWN = frozenset({"id", "object", "status", "phase"})


def output_item(call_id: str, output: str) -> dict[str, Any]:
    """Return the item that answers a function call."""
    return {"type": "function_call_output", "call_id": call_id, "output": output}


def report_item(name: str, call_id: str, output: str) -> dict[str, Any]:
    """Return the item that tells of a background call."""
    text = f"The background call {name} ({call_id}) has ended. Tell the user, if it matters now. Its result: {output}"
    return {"type": "message", "role": "system", "content": [{"type": "input_text", "text": text}]}


def follow_up(over: Round, asked: Mapping[str, Any], session_tool_choice: Any) -> dict[str, Any]:
    """Return the ``response`` of the request that lets the model go on in the conversation.

    It is asked of it what was asked of the response that called, and it is known by the same metadata.

    Args:
        over: the response that called.
        asked: the ``response`` of the request for it, where there was one.
        session_tool_choice: what the session demands. A model that must call would call for ever.
    """
    body = {name: value for name, value in asked.items() if name not in _NOT_CARRIED}
    if over.metadata:
        body["metadata"] = dict(over.metadata)
    demanded = asked.get("tool_choice", session_tool_choice)
    if demanded == "required" or isinstance(demanded, Mapping):
        body["tool_choice"] = "auto"
    elif "tool_choice" in asked:
        body["tool_choice"] = demanded
    return body


def out_of_band_follow_up(
    over: Round, asked: Mapping[str, Any], session_tool_choice: Any, conversation: Iterable[Item]
) -> dict[str, Any]:
    """Return the ``response`` that lets the model go on out of band: all it knew, its calls, and their answers."""
    given: object = asked.get("input")
    known: list[Any] = (
        list(cast("list[Any]", given))
        if isinstance(given, list)
        else [{"type": "item_reference", "id": item.id} for item in conversation if item.status != "in_progress"]
    )
    body = follow_up(over, asked, session_tool_choice)
    return {**body, "conversation": "none", "input": [*known, *map(_as_input, over.output), *over.answers]}


def _as_input(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a response made as a client may send it: without ids, and speech as its words."""
    kept = {name: value for name, value in item.items() if name not in _SERVERS_OWN}
    if kept.get("type") == "message":
        parts = read_list(item, "content")
        texts = [read_text(part, "text") or read_text(part, "transcript") or "" for part in parts]
        kept["content"] = [{"type": "output_text", "text": text} for text in texts]
    return kept
