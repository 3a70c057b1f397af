"""Answer whether a function was called, in a way that a failed assertion can show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from .record import MadeCall


class Called:
    """Be true if there is such a call that was answered; say what there is instead if not."""

    def __init__(self, name: str, arguments: dict[str, Any], made: Sequence[MadeCall]) -> None:
        self._name = name
        self._arguments = arguments
        self._made = made
        self.calls = [call for call in made if call.name == name and _fits(call.arguments, arguments)]
        """The calls that are meant, answered or not."""

    def __bool__(self) -> bool:
        return any(call.output is not None for call in self.calls)

    def __repr__(self) -> str:
        meant = _shown(self._name, self._arguments)
        if self:
            return f"<{meant} was called and answered>"
        if self.calls:
            return f"<{meant} was called, but the client sent no function_call_output>"
        made = ", ".join(_shown(call.name, call.arguments) for call in self._made)
        return f"<{meant} was not called; {f'what was: {made}' if made else 'nothing was'}>"


def _fits(arguments: object, wanted: dict[str, Any]) -> bool:
    if not isinstance(arguments, dict):
        return False
    given = cast("dict[str, Any]", arguments)
    return all(name in given and given[name] == value for name, value in wanted.items())


def _shown(name: str, arguments: Any) -> str:
    if not isinstance(arguments, dict):
        return f"{name}({arguments!r})"
    inside = ", ".join(f"{key}={value!r}" for key, value in cast("dict[str, Any]", arguments).items())
    return f"{name}({inside})"
