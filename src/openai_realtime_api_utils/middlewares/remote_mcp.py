"""Decide on, and go on after, the calls of MCP tools that the service makes by itself."""

from __future__ import annotations

from typing import Any

from ..state.reading import plain_dict, read, read_id, read_text
from ..tools.runner import ApprovalRequest, ToolRunner
from .follow_up import FollowUp
from .registered_send import registered

_REMEMBERED = 256
"""How many calls are remembered, so that none is followed up twice; the oldest are forgotten."""


class RemoteMcp:
    """Answer approval requests, and let the model go on after a call: it never does so by itself (API reference)."""

    def __init__(self, follow_up: FollowUp, runner: ToolRunner, *, approves: bool) -> None:
        self._follow_up = follow_up
        self._runner = runner
        self._approves = approves
        self._ended: dict[str, None] = {}

    def server_event(self, event: Any) -> None:
        """Take a server event; any may come."""
        match event.type:
            case "response.output_item.added":
                item, response_id = plain_dict(read(event, "item")), read_id(event, "response_id")
                calls = self._follow_up.calls
                if read_text(item, "type") == "mcp_call" and calls.open_round(response_id) is not None:
                    calls.begin(response_id or "", read_id(item, "id") or "")
            case "response.mcp_call.completed" | "response.mcp_call.failed":
                self._call_ended(read_id(event, "item_id") or "")
            case _:
                pass

    def made(self, item: dict[str, Any], response_id: str) -> None:
        """Take what a response has made."""
        item_id = read_id(item, "id") or ""
        match read_text(item, "type"):
            case "mcp_call" if item.get("output") is not None or item.get("error") is not None:
                self._call_ended(item_id)
            case "mcp_approval_request" if self._approves and self._follow_up.calls.begin(response_id, item_id):
                send = registered(self._follow_up.send, "CallTools")
                send.spawn(self._decide(item), name=f"approve {item_id}")
            case _:
                pass

    async def _decide(self, item: dict[str, Any]) -> None:
        request_id = read_id(item, "id") or ""
        request = ApprovalRequest(
            name=read_text(item, "name") or "",
            arguments=read_text(item, "arguments") or "",
            call_id=request_id,
            server_label=read_text(item, "server_label"),
        )
        refusal = await self._runner.refusal(request)
        answer = {
            "type": "mcp_approval_response",
            "approval_request_id": request_id,
            "approve": refusal is None,
            **({} if refusal is None else {"reason": refusal}),
        }
        # Once approved, the service makes the call, and its end is what lets the model go on.
        await self._follow_up.answer(request_id, answer, is_continued=refusal is not None)

    def _call_ended(self, item_id: str) -> None:
        if item_id in self._ended:
            return
        self._ended[item_id] = None
        if len(self._ended) > _REMEMBERED:
            del self._ended[next(iter(self._ended))]
        if self._follow_up.calls.round_of(item_id) is not None:
            self._follow_up.calls.end(item_id)
        else:
            self._follow_up.want()
