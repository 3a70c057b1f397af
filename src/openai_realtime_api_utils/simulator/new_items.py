"""Begin the items that a model makes, empty as they are first shown (recorded sessions; MCP: API reference)."""

from __future__ import annotations

from typing import Any

from .ids import Ids
from .mcp_tools import Offer


def message_item(ids: Ids) -> dict[str, Any]:
    """Return a new message of the assistant's."""
    return {"id": ids.new("item"), "type": "message", "status": "in_progress", "role": "assistant", "content": []}


def function_call(ids: Ids, name: str) -> dict[str, Any]:
    """Return a new call of a function."""
    return {
        "id": ids.new("item"),
        "type": "function_call",
        "status": "in_progress",
        "name": name,
        "call_id": ids.new("call"),
        "arguments": "",
    }


def mcp_item(ids: Ids, kind: str, offer: Offer) -> dict[str, Any]:
    """Return a new call of an MCP tool, or a new request for one; neither has a status."""
    return {
        "id": ids.new("item"),
        "type": kind,
        "server_label": offer.server_label,
        "name": offer.tool.name,
        "arguments": "",
    }
