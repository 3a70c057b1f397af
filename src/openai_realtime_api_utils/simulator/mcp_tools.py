"""Check the MCP servers that a client names, and say which of their tools a model may call, and after whose leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from .mcp_server import McpServer, McpTool
from .refusals import Refusal

SOURCES = ("server_url", "connector_id", "tunnel_id")
_SECRET = ("authorization", "headers")
"""What a session does not show again."""


Servers: TypeAlias = Mapping[str, dict[str, Any]]
"""The definitions of MCP servers, by label."""


@dataclass(frozen=True)
class Offer:
    """Be a tool of an MCP server that a response may call."""

    server_label: str
    tool: McpTool
    needs_approval: bool

    def as_function(self) -> dict[str, Any]:
        """Return the tool as an engine sees it: a function like any other."""
        return {
            "type": "function",
            "name": self.tool.name,
            "description": self.tool.description,
            "parameters": dict(self.tool.input_schema),
        }


def defined(tools: Sequence[dict[str, Any]], known: Servers) -> Servers:
    """Return the definitions of the MCP servers among some tools, by label, completed by what is known of them.

    Raises:
        Refusal: one is named twice, or it is not said clearly where it is.
    """
    result: dict[str, dict[str, Any]] = {}
    for i, tool in enumerate(tools):
        if tool["type"] != "mcp":
            continue
        path, label = f"tools[{i}]", tool["server_label"]
        if label in result:
            raise Refusal(
                f"Duplicate MCP server label: '{label}'. Give each server a label of its own.",
                code="invalid_value",
                param=f"{path}.server_label",
            )
        given = [name for name in SOURCES if tool.get(name)]
        if len(given) > 1:
            raise Refusal(
                f"MCP server '{label}' has both '{given[0]}' and '{given[1]}': give one of them.",
                code="invalid_value",
                param=f"{path}.{given[1]}",
            )
        if not given and label not in known:
            raise Refusal(
                f"MCP server '{label}' is not known yet: give its 'server_url', 'connector_id' or 'tunnel_id'.",
                code="missing_required_parameter",
                param=f"{path}.server_url",
            )
        if tool.get("authorization") and any(name.lower() == "authorization" for name in tool.get("headers") or ()):
            raise Refusal(
                f"MCP server '{label}' has both 'authorization' and an Authorization header: give one of them.",
                code="invalid_value",
                param=f"{path}.authorization",
            )
        before = {k: v for k, v in known.get(label, {}).items() if not (given and k in SOURCES)}
        result[label] = before | tool
    return result


def shown(tools: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return tools as a session shows them: without the keys to their servers."""
    return [{name: value for name, value in tool.items() if name not in _SECRET} for tool in tools]


def server_of(definition: Mapping[str, Any], servers: Mapping[str, McpServer]) -> McpServer | None:
    """Return the scripted server that a definition means; None if there is none, or if it is down."""
    names: list[str] = [definition["server_label"], *(definition[source] for source in SOURCES if source in definition)]
    found = next((servers[name] for name in names if name in servers), None)
    return None if found is None or found.is_down else found


def offers(definition: Mapping[str, Any], server: McpServer) -> list[Offer]:
    """Return those of a server's tools that the definition allows."""
    allowed = definition.get("allowed_tools")
    return [
        Offer(definition["server_label"], tool, _needs_approval(tool, definition.get("require_approval")))
        for tool in server.tools
        if allowed is None or _matches(tool, {"tool_names": allowed} if isinstance(allowed, list) else allowed)
    ]


def _needs_approval(tool: McpTool, rule: Any) -> bool:
    """Say whether the client has to approve a call; without a rule it has to."""
    if rule in (None, "always"):
        return True
    if rule == "never":
        return False
    never, always = rule.get("never"), rule.get("always")
    if never is not None and _matches(tool, never):
        return False
    return always is None or never is not None or _matches(tool, always)


def _matches(tool: McpTool, rule: Mapping[str, Any]) -> bool:
    names, read_only = rule.get("tool_names"), rule.get("read_only")
    return (names is None or tool.name in names) and (read_only is None or tool.read_only == read_only)
