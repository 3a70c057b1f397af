"""Say what a response is to be: the session's configuration, with what was asked for this one alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..audio.formats import AudioFormat, format_of
from .config import PERSONA, is_second_generation
from .mcp_tools import Offer
from .tool_choice import ToolChoice

_REASONING_TOKENS = {"minimal": 8, "low": 32, "medium": 96, "high": 256, "xhigh": 512}
"""What a model thinks before it answers; 31 were recorded, the rest is a guess."""


@dataclass(frozen=True)
class Plan:
    """Hold what a response was asked to be."""

    instructions: str
    choice: ToolChoice
    modality: str
    audio_format: AudioFormat
    shown_format: dict[str, Any]
    voice: str
    speed: float
    max_output_tokens: Any
    metadata: dict[str, Any] | None
    is_out_of_band: bool
    has_phases: bool
    """Whether items carry a ``phase`` and interleave, as those of 2.x models do (recorded sessions)."""
    reasoning_tokens: int | None
    """None for a model that does not tell."""


def plan_for(
    session: Mapping[str, Any],
    unseen: Mapping[str, Any],
    asked: Mapping[str, Any],
    offers: Sequence[Offer],
) -> Plan:
    """Plan a response.

    Args:
        session: the session's configuration.
        unseen: what was configured and the session does not show.
        asked: the checked ``response`` of a ``response.create``.
        offers: the MCP tools that it may call.
    """
    output = session["audio"]["output"] | asked.get("audio", {}).get("output", {})
    tools = asked.get("tools", session["tools"])
    is_parallel = asked.get("parallel_tool_calls", unseen.get("parallel_tool_calls", True))
    return Plan(
        instructions=asked.get("instructions", session["instructions"]) or PERSONA,
        choice=ToolChoice(
            asked.get("tool_choice", session["tool_choice"]),
            [tool for tool in tools if tool["type"] == "function"],
            offers,
            in_parallel=is_parallel,
        ),
        modality=asked.get("output_modalities", session["output_modalities"])[0],
        audio_format=format_of(output["format"]),
        shown_format=format_of(output["format"]).as_config(),
        voice=output["voice"] if isinstance(output["voice"], str) else output["voice"]["id"],
        speed=output["speed"],
        max_output_tokens=asked.get("max_output_tokens", session["max_output_tokens"]),
        metadata=asked.get("metadata"),
        is_out_of_band=asked.get("conversation") == "none",
        has_phases=is_second_generation(session["model"]),
        reasoning_tokens=_reasoning_tokens(session["model"], asked.get("reasoning") or unseen.get("reasoning") or {}),
    )


def _reasoning_tokens(model: str, reasoning: Mapping[str, Any]) -> int | None:
    """Return them for the mini model, which always tells, and where an effort is asked for (recorded sessions)."""
    if not is_second_generation(model):
        return None
    effort = reasoning.get("effort", "low" if model.endswith("-mini") else None)
    return None if effort is None else _REASONING_TOKENS[effort]
