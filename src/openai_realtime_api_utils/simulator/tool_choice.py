"""Hold a response to its ``tool_choice``, whatever the engine makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .engine import Call, Fail, Say
from .mcp_tools import Offer
from .refusals import Refusal
from .schema_filling import filled


def check_choice(choice: Any, tools: Sequence[Mapping[str, Any]]) -> None:
    """Check that what a choice names is among the tools.

    Raises:
        Refusal: it is not.
    """
    if isinstance(choice, str):
        return
    key = "server_label" if choice["type"] == "mcp" else "name"
    if not any(tool["type"] == choice["type"] and tool[key] == choice[key] for tool in tools):
        raise Refusal(
            f"Tool choice '{choice[key]}' not found in 'tools' parameter.", code="invalid_value", param="tool_choice"
        )


@dataclass
class ToolChoice:
    """Let calls pass as far as they were asked for, and owe those that were demanded."""

    choice: Any
    functions: Sequence[Mapping[str, Any]]
    offers: Sequence[Offer] = ()
    in_parallel: bool = True
    _calls: int = field(default=0, init=False)

    @property
    def tools(self) -> list[Mapping[str, Any]]:
        """Return all that can be called, MCP tools in the shape of functions."""
        return [*self.functions, *(offer.as_function() for offer in self.offers)]

    def offer(self, name: str) -> Offer | None:
        """Return the MCP tool that a call of this name means; None if it means one of the client's functions."""
        label = None if isinstance(self.choice, str) else self.choice.get("server_label")
        if label is None and any(function["name"] == name for function in self.functions):
            return None
        return next((o for o in self.offers if o.tool.name == name and label in (None, o.server_label)), None)

    def admit(self, thought: Say | Call | Fail) -> Say | Call | Fail | None:
        """Return a thought as it may be carried out; None if it may not."""
        match thought:
            case Call():
                return self._admit_call(thought)
            case Say() if self._demanded and thought.phase != "commentary":
                return None  # a model that has to call does nothing else
            case _:
                return thought

    def owed(self) -> Call | None:
        """Return the call that was demanded and did not come."""
        if not self._demanded or self._calls:
            return None
        self._calls += 1
        tool = self._demanded[0]
        return Call(tool["name"], filled({}, tool.get("parameters")))

    def _admit_call(self, call: Call) -> Call | None:
        if self.choice == "none" or (self._calls and not self.in_parallel):
            return None
        demanded = self._demanded
        if demanded:
            tool = next((each for each in demanded if each["name"] == call.name), None)
            if tool is None:
                return None
            call = replace(call, arguments=filled(call.arguments, tool.get("parameters")))
        self._calls += 1
        return call

    @property
    def _demanded(self) -> Sequence[Mapping[str, Any]]:
        """The tools of which one has to be called; none if nothing has to be."""
        if self.choice == "required":
            return self.tools
        if isinstance(self.choice, str):
            return ()
        if self.choice["type"] == "function":
            return [tool for tool in self.tools if tool["name"] == self.choice["name"]]
        return [
            offer.as_function()
            for offer in self.offers
            if offer.server_label == self.choice["server_label"] and self.choice.get("name") in (None, offer.tool.name)
        ]
