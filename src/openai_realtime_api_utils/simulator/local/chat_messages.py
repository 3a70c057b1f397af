"""Translate a turn of a Realtime conversation into the request of a chat-completions endpoint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine import Turn
from .context import mapping_of, text_of


def request_for(turn: Turn, model: str) -> dict[str, Any]:
    """Return the keyword arguments of a streamed request."""
    return {"model": model, "messages": messages_for(turn), "stream": True, **_tools(turn)}


def messages_for(turn: Turn) -> list[dict[str, Any]]:
    """Return the messages: the instructions first, then the items that a chat model can read.

    Calls made one after the other share a message, and calls without an output are left out: endpoints refuse them.
    """
    answered = {item.get("call_id") for item in turn.items if item.get("type") == "function_call_output"}
    messages: list[dict[str, Any]] = []
    if turn.instructions:
        messages.append({"role": "system", "content": turn.instructions})
    outputs: list[dict[str, Any]] = []
    calls: list[dict[str, Any]] = []

    def close_round() -> None:
        """Put the calls so far and then their outputs: nothing may stand between them."""
        if calls:
            messages.extend(({"role": "assistant", "content": None, "tool_calls": list(calls)}, *outputs))
        calls.clear()
        outputs.clear()

    for item in turn.items:
        match item.get("type"):
            case "function_call" if item.get("call_id") in answered:
                if outputs:
                    close_round()
                function = {"name": item.get("name"), "arguments": item.get("arguments") or "{}"}
                calls.append({"id": item.get("call_id"), "type": "function", "function": function})
            case "function_call_output":
                output = str(item.get("output", ""))
                outputs.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": output})
            case "message":
                close_round()
                content = _content(item)
                if content:
                    messages.append({"role": item.get("role"), "content": content})
            case _:
                pass
    close_round()
    return messages


def _content(item: Mapping[str, Any]) -> str | list[dict[str, Any]]:
    """Return a message's text, with its images where it has some."""
    text = text_of(item)
    images: Sequence[Mapping[str, Any]] = [
        part for part in item.get("content") or () if part.get("type") == "input_image" and part.get("image_url")
    ]
    if not images:
        return text
    pictures = [{"type": "image_url", "image_url": {"url": part["image_url"]}} for part in images]
    return [*([{"type": "text", "text": text}] if text else []), *pictures]


def _tools(turn: Turn) -> dict[str, Any]:
    """Return the request's ``tools`` and ``tool_choice``; nothing where there are no functions."""
    keys = ("name", "description", "parameters")
    tools = [
        {"type": "function", "function": {key: tool[key] for key in keys if key in tool}}
        for tool in turn.tools
        if tool.get("type") == "function"
    ]
    if not tools:
        return {}
    if isinstance(turn.tool_choice, str):
        return {"tools": tools, "tool_choice": turn.tool_choice}
    named = mapping_of(turn.tool_choice)
    if named.get("type") != "function":
        return {"tools": tools}
    return {"tools": tools, "tool_choice": {"type": "function", "function": {"name": named.get("name")}}}
