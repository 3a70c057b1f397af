"""Show an engine the conversation in terms that any engine knows: messages, functions called, and their outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .conversation import Entry

_REFUSED = "The user did not approve of this call."


def items_for_engine(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return the finished items, with what was said in them filled in, and calls of MCP tools as functions called."""
    requests: dict[str, Mapping[str, Any]] = {}
    result: list[dict[str, Any]] = []
    for entry in entries:
        item: Mapping[str, Any] = entry.item
        if item.get("status") == "in_progress":
            continue
        match item["type"]:
            case "mcp_approval_request":
                requests[item["id"]] = item
            case "mcp_approval_response":
                request = requests.get(item["approval_request_id"])
                if request is not None and not item["approve"]:
                    result.extend(_called(request, item.get("reason") or _REFUSED))
            case "mcp_call" if "error" in item:
                result.extend(_called(item, item["error"]["message"]))
            case "mcp_call" if "output" in item:
                result.extend(_called(item, item["output"]))
            case "mcp_call" | "mcp_list_tools":
                pass  # a call without an answer yet, and what is among the tools
            case _:
                result.append(_filled(entry))
    return result


def _called(item: Mapping[str, Any], output: str) -> Iterator[dict[str, Any]]:
    call_id = item["id"]
    call = {"type": "function_call", "call_id": call_id, "name": item["name"], "arguments": item["arguments"]}
    yield {"id": call_id, "status": "completed", **call}
    yield {"id": call_id, "type": "function_call_output", "call_id": call_id, "output": output}


def _filled(entry: Entry) -> dict[str, Any]:
    """Return the item; the same object while it stays as it is, since each response is given the whole conversation."""
    content = entry.item.get("content")
    filled = dict(entry.item)
    if content is not None:
        filled["content"] = [
            part | {"transcript": entry.transcript} if part["type"] == "input_audio" else part for part in content
        ]
    if filled != entry.shown:
        entry.shown = filled
    return entry.shown or filled
