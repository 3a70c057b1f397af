"""Read from a conversation's items what a mind has to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast


@dataclass(frozen=True)
class Context:
    """Hold what the answer depends on."""

    asked: str | None
    """What the user said or typed last, ``""`` if nothing was understood; None if they have said nothing at all."""
    is_answered: bool
    """Whether the assistant has spoken since."""
    outputs: Sequence[tuple[str, str]]
    """Name and output of each function that was called since and has answered."""
    last_answer: str
    """What the assistant said last."""


def context_of(items: Sequence[Mapping[str, Any]]) -> Context:
    """Read the items of a conversation, in order."""
    names = {item.get("call_id"): str(item.get("name")) for item in items if item.get("type") == "function_call"}
    asked: str | None = None
    is_answered = False
    last_answer = ""
    outputs: list[tuple[str, str]] = []
    for item in items:
        match item.get("type"), item.get("role"):
            case "message", "user":
                asked, is_answered, outputs = text_of(item), False, []
            case "message", "assistant":
                last_answer, is_answered, outputs = text_of(item), True, []
            case "function_call_output", _:
                outputs.append((names.get(item.get("call_id"), "the function"), str(item.get("output", ""))))
            case _:
                pass
    return Context(asked, is_answered, outputs, last_answer)


def text_of(item: Mapping[str, Any]) -> str:
    """Return what a message says, typed or spoken."""
    parts = item.get("content") or ()
    return " ".join(filter(None, (part.get("text") or part.get("transcript") for part in parts))).strip()


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Return a JSON object as it is, and an empty one for anything else."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
