"""Know which tools a session is offered: the program's own, those of its MCP servers, and others of the user's."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..state.reading import plain_dict, read_text
from .mcp_server import McpServer
from .tool import Tool, as_tools

_logger = logging.getLogger(__name__)


class Offered:
    """Hold the tools by their names."""

    def __init__(self, given: Iterable[Callable[..., Any] | Tool | McpServer]) -> None:
        """Take tools; a server stands for all it has, later ones included.

        Raises:
            ToolError: one of them cannot be a tool, or two have one name.
        """
        self._given = tuple(given)
        self._others: list[dict[str, Any]] = []
        self.by_name = as_tools(self._each())

    @property
    def servers(self) -> tuple[McpServer, ...]:
        """The servers whose tools may change."""
        return tuple(each for each in self._given if isinstance(each, McpServer))

    @property
    def definitions(self) -> list[dict[str, Any]]:
        """The tools as a session's ``tools`` have them."""
        return [tool.definition for tool in self.by_name.values()]

    def answers(self, name: str) -> bool:
        """Tell whether calls of a function are answered here: all but those that the user offers beside."""
        return name in self.by_name or all(read_text(other, "name") != name for other in self._others)

    def look_again(self) -> None:
        """Take the tools that the servers have now."""
        found: dict[str, Tool] = {}
        for each in self._each():
            tool = next(iter(as_tools([each]).values()))
            if found.setdefault(tool.name, tool) is not tool:
                _logger.warning("An MCP server has a tool %s now, which is left out: there is one already.", tool.name)
        self.by_name = found

    def put_into(self, update: dict[str, Any]) -> dict[str, Any]:
        """Return a ``session.update`` with the tools in it, behind the user's own."""
        session = plain_dict(update.get("session"))
        if session.get("type", "realtime") != "realtime":
            return update
        given: list[Any] = session.get("tools") or [] if "tools" in session else self._others
        self._others = [other for other in given if read_text(other, "name") not in self.by_name]
        return {**update, "session": {**session, "tools": [*self._others, *self.definitions]}}

    def _each(self) -> Iterator[Callable[..., Any] | Tool]:
        for each in self._given:
            if isinstance(each, McpServer):
                yield from each.tools
            else:
                yield each
