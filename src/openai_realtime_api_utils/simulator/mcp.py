"""List the tools of MCP servers, ask for approval of their calls, and make them, in a conversation's own events.

The kinds of events are those of the API reference; no public recording shows how they interleave.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .conversation import Conversation, Entry
from .mcp_server import McpFailure, McpServer
from .mcp_tools import SOURCES, Offer, Servers, defined, offers, server_of
from .outbox import Outbox, Timeline
from .refusals import Refusal


@dataclass(frozen=True)
class Place:
    """Say where in which response an item stands."""

    response_id: str
    output_index: int


@dataclass(frozen=True)
class _Pending:
    offer: Offer
    arguments: str
    place: Place


class Mcp:
    """Be the MCP client of one session."""

    def __init__(
        self, servers: Mapping[str, McpServer], *, conversation: Conversation, outbox: Outbox, timeline: Timeline
    ) -> None:
        self._servers = servers
        self._conversation = conversation
        self._outbox = outbox
        self._timeline = timeline
        self._definitions: dict[str, dict[str, Any]] = {}
        self._listed: dict[str, McpServer | None] = {}
        """The servers whose tools are listed, or, None, are being listed or could not be."""
        self._pending: dict[str, _Pending] = {}

    def check(self, tools: Sequence[dict[str, Any]]) -> Servers:
        """Return the definitions of the servers among some tools, by label.

        Raises:
            Refusal: one of them is refused.
        """
        return defined(tools, self._definitions)

    def use(self, definitions: Servers, now: float) -> None:
        """Remember these servers, and list the tools of those that are new or have moved."""
        for label, definition in definitions.items():
            before = self._definitions.get(label, {})
            has_moved = any(before.get(source) != definition.get(source) for source in SOURCES)
            self._definitions[label] = definition
            if label not in self._listed or has_moved:
                self._list(definition, now)

    def offers(self, definitions: Servers) -> list[Offer]:
        """Return the tools of these servers that can be called now: those that are listed already."""
        result: list[Offer] = []
        for label, definition in definitions.items():
            server = self._listed.get(label)
            if server is not None:
                result.extend(offers(definition, server))
        return result

    def ask(self, request: Entry, offer: Offer, arguments: str, place: Place) -> None:
        """Wait for the client's answer to this request."""
        self._pending[request.item["id"]] = _Pending(offer, arguments, place)

    def check_answer(self, item: Mapping[str, Any]) -> None:
        """Check a client's answer.

        Raises:
            Refusal: nothing waits for it.
        """
        request_id = item["approval_request_id"]
        if request_id not in self._pending:
            raise Refusal(
                f"No MCP approval request with id '{request_id}' waits for an answer.",
                code="invalid_value",
                param="item.approval_request_id",
            )

    def answer(self, item: Mapping[str, Any], now: float) -> None:
        """Make the call that was waited for, if the client approves of it."""
        request_id: str = item["approval_request_id"]
        pending = self._pending.pop(request_id)
        if not item["approve"]:
            return
        entry = Entry(
            {
                "id": self._outbox.ids.new("item"),
                "type": "mcp_call",
                "server_label": pending.offer.server_label,
                "name": pending.offer.tool.name,
                "arguments": pending.arguments,
                "approval_request_id": request_id,
            }
        )
        self._conversation.add(entry, is_done=False)
        self.call(entry, pending.offer, pending.place, self._conversation, now)

    def call(self, entry: Entry, offer: Offer, place: Place, conversation: Conversation | None, now: float) -> None:
        """Make a call whose arguments are complete; the item is done when the tool has answered."""
        where = {"item_id": entry.item["id"], "output_index": place.output_index}
        self._outbox.event("response.mcp_call.in_progress", **where)

        def finish(_now: float) -> None:
            answer = offer.tool.call(json.loads(entry.item["arguments"]))
            if isinstance(answer, McpFailure):
                entry.item["error"] = answer.as_error()
            else:
                entry.item["output"] = answer
            how = "failed" if isinstance(answer, McpFailure) else "completed"
            self._outbox.event(f"response.mcp_call.{how}", **where)
            if conversation is not None:
                conversation.done(entry)
            self._outbox.event(
                "response.output_item.done",
                response_id=place.response_id,
                output_index=place.output_index,
                item=copy.deepcopy(entry.item),
            )

        if offer.tool.takes_s:
            self._timeline.at(now + offer.tool.takes_s, "", finish)
        else:
            finish(now)

    def _list(self, definition: dict[str, Any], now: float) -> None:
        label: str = definition["server_label"]
        self._listed[label] = None
        server = server_of(definition, self._servers)
        item_id = self._outbox.ids.new("item")
        entry = Entry({"id": item_id, "type": "mcp_list_tools", "server_label": label, "tools": []})
        self._conversation.add(entry, is_done=False)
        self._outbox.event("mcp_list_tools.in_progress", item_id=item_id)

        def finish(_now: float) -> None:
            if server is None:
                self._outbox.event("mcp_list_tools.failed", item_id=item_id)
            else:
                self._listed[label] = server
                entry.item["tools"] = [offer.tool.listed() for offer in offers(definition, server)]
                self._outbox.event("mcp_list_tools.completed", item_id=item_id)
            self._conversation.done(entry)

        self._timeline.at(now + (0.1 if server is None else server.lists_s), "", finish)
