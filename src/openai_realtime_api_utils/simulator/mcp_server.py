"""Script the remote MCP servers that a simulated session's tools come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True)
class McpFailure:
    """Be what a tool answers with when it does not work."""

    message: str
    kind: Literal["tool_execution_error", "protocol_error", "http_error"] = "tool_execution_error"
    code: int = -32000
    """Shown for a protocol error (JSON-RPC) or an HTTP error."""

    def as_error(self) -> dict[str, Any]:
        """Return the ``error`` of an ``mcp_call``."""
        code = {} if self.kind == "tool_execution_error" else {"code": self.code}
        return {"type": self.kind, **code, "message": self.message}


McpAnswer: TypeAlias = str | McpFailure


def _no_arguments() -> dict[str, Any]:
    return {"type": "object", "properties": {}}


@dataclass(frozen=True)
class McpTool:
    """Be one tool of a scripted server."""

    name: str
    description: str = ""
    input_schema: Mapping[str, Any] = field(default_factory=_no_arguments)
    answer: McpAnswer | Callable[[Mapping[str, Any]], McpAnswer] = ""
    """What it answers, or what makes the answer from the arguments; an exception is a failure of the tool's."""
    read_only: bool = False
    """Whether it says of itself that it changes nothing (``readOnlyHint``)."""
    takes_s: float = 0.0

    def call(self, arguments: Mapping[str, Any]) -> McpAnswer:
        """Return the answer."""
        if not callable(self.answer):
            return self.answer
        try:
            return self.answer(arguments)
        except Exception as error:  # noqa: BLE001  (whatever a user's function raises is the tool's failure)
            return McpFailure(str(error) or type(error).__name__)

    def listed(self) -> dict[str, Any]:
        """Return the tool as an ``mcp_list_tools`` item shows it."""
        return {
            "name": self.name,
            "description": self.description,
            "input_schema": dict(self.input_schema),
            "annotations": {"readOnlyHint": self.read_only},
        }


@dataclass(frozen=True)
class McpServer:
    """Be a scripted server, found by its label, URL, connector or tunnel in ``Settings.mcp_servers``."""

    tools: Sequence[McpTool] = ()
    lists_s: float = 0.1
    """How long it takes to list its tools."""
    is_down: bool = False
    """Whether listing fails, as it does for a server that is not in the settings."""
