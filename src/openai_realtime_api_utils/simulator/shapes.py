"""Say what a session's configuration and a response's may hold (API reference), as tables of checks."""

from __future__ import annotations

from typing import Any

from .checks import (
    anything,
    boolean,
    either,
    list_of,
    mapping,
    mapping_of,
    metadata,
    number,
    one_of,
    or_null,
    shape,
    shape_by,
    text,
    whole_number,
)
from .refusals import Refusal

_FORMAT = shape_by(
    "type",
    {
        "audio/pcm": shape({"type": text, "rate": whole_number(24000, 24000)}),
        "audio/pcmu": shape({"type": text}),
        "audio/pcma": shape({"type": text}),
    },
)


def _voice(value: Any, path: str) -> Any:
    return shape({"id": text}, required=["id"])(value, path) if isinstance(value, dict) else text(value, path)


_TURN_DETECTION = shape_by(
    "type",
    {
        "server_vad": shape(
            {
                "type": text,
                "threshold": number(0, 1),
                "prefix_padding_ms": whole_number(0, 10_000),
                "silence_duration_ms": whole_number(0, 60_000),
                "idle_timeout_ms": or_null(whole_number(5_000, 30_000)),
                "create_response": boolean,
                "interrupt_response": boolean,
            }
        ),
        "semantic_vad": shape(
            {
                "type": text,
                "eagerness": one_of("low", "medium", "high", "auto"),
                "create_response": boolean,
                "interrupt_response": boolean,
            }
        ),
    },
    default="server_vad",
)

TRANSCRIBERS = (
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-4o-transcribe-diarize",
    "gpt-realtime-whisper",
    "gpt-transcribe",
    "gpt-live-transcribe",
)
GUIDED = ("gpt-transcribe", "gpt-live-transcribe")
"""Transcribers that take ``keywords`` and ``languages`` (API reference)."""
_EFFORT = one_of("minimal", "low", "medium", "high", "xhigh")
_TRANSCRIPTION = shape(
    {
        "model": one_of(*TRANSCRIBERS),
        "language": or_null(text),
        "languages": list_of(text),
        "prompt": or_null(text),
        "keywords": list_of(text),
        "delay": _EFFORT,
    }
)

_MCP_FILTER = shape({"tool_names": list_of(text), "read_only": boolean})


def _allowed_tools(value: Any, path: str) -> Any:
    return (list_of(text) if isinstance(value, list) else _MCP_FILTER)(value, path)


_APPROVAL_FILTER = shape({"always": _MCP_FILTER, "never": _MCP_FILTER})


def _require_approval(value: Any, path: str) -> Any:
    return (_APPROVAL_FILTER if isinstance(value, dict) else one_of("always", "never"))(value, path)


CONNECTORS = (
    "connector_dropbox",
    "connector_gmail",
    "connector_googlecalendar",
    "connector_googledrive",
    "connector_microsoftteams",
    "connector_outlookcalendar",
    "connector_outlookemail",
    "connector_sharepoint",
)
_TOOLS = list_of(
    shape_by(
        "type",
        {
            "function": shape(
                {"type": text, "name": text, "description": or_null(text), "parameters": or_null(mapping)},
                required=["name"],
            ),
            "mcp": shape(
                {
                    "type": text,
                    "server_label": text,
                    "server_url": text,
                    "connector_id": one_of(*CONNECTORS),
                    "tunnel_id": text,
                    "server_description": text,
                    "authorization": text,
                    "headers": or_null(mapping_of(text)),
                    "allowed_tools": or_null(_allowed_tools),
                    "require_approval": or_null(_require_approval),
                    "defer_loading": boolean,
                    "allowed_callers": or_null(list_of(one_of("direct", "programmatic"))),
                },
                required=["server_label"],
            ),
        },
    )
)
_NAMED_TOOL = shape_by(
    "type",
    {
        "function": shape({"type": text, "name": text}, required=["name"]),
        "mcp": shape({"type": text, "server_label": text, "name": or_null(text)}, required=["server_label"]),
    },
)


def _tool_choice(value: Any, path: str) -> Any:
    return (_NAMED_TOOL if isinstance(value, dict) else one_of("none", "auto", "required"))(value, path)


def _modalities(value: Any, path: str) -> list[str]:
    asked = list_of(one_of("text", "audio"))(value, path)
    if len(asked) != 1:
        raise Refusal(
            f"Invalid modalities: {asked}. Supported combinations are: ['text'] and ['audio'].",
            code="invalid_value",
            param=path,
        )
    return asked


_PROMPT = shape({"id": text, "version": or_null(text), "variables": or_null(mapping_of(text))}, required=["id"])
_RETENTION = shape(
    {
        "type": one_of("retention_ratio"),
        "retention_ratio": number(0, 1),
        "token_limits": shape({"post_instructions": whole_number(0, 1 << 31)}),
    },
    required=["type", "retention_ratio"],
)


def _truncation(value: Any, path: str) -> Any:
    return (_RETENTION if isinstance(value, dict) else one_of("auto", "disabled"))(value, path)


_NOISE_REDUCTION = or_null(
    shape({"type": one_of("near_field", "far_field"), "strength": number(0, 1)}, required=["type"])
)
_INPUT = shape(
    {
        "format": _FORMAT,
        "transcription": or_null(_TRANSCRIPTION),
        "noise_reduction": _NOISE_REDUCTION,
        "turn_detection": or_null(_TURN_DETECTION),
    }
)
_INCLUDE = or_null(list_of(one_of("item.input_audio_transcription.logprobs")))

SESSION = shape(
    {
        "type": text,
        "model": text,
        "output_modalities": _modalities,
        "instructions": text,
        "tools": _TOOLS,
        "tool_choice": _tool_choice,
        "parallel_tool_calls": boolean,
        "reasoning": or_null(shape({"effort": _EFFORT})),
        "max_output_tokens": either("inf", whole_number(1, 4096)),
        "tracing": or_null(either("auto", shape({"workflow_name": text, "group_id": text, "metadata": metadata}))),
        "truncation": _truncation,
        "prompt": or_null(_PROMPT),
        "include": _INCLUDE,
        "audio": shape(
            {
                "input": _INPUT,
                "output": shape({"format": _FORMAT, "voice": _voice, "speed": number(0.25, 1.5)}),
            }
        ),
    }
)

TRANSCRIPTION_SESSION = shape({"type": text, "audio": shape({"input": _INPUT}), "include": _INCLUDE})

TRANSLATION_SESSION = shape(
    {
        "audio": shape(
            {
                "input": shape(
                    {
                        "transcription": or_null(shape({"model": one_of(*TRANSCRIBERS)}, required=["model"])),
                        "noise_reduction": _NOISE_REDUCTION,
                    }
                ),
                "output": shape({"language": text}),
            }
        )
    }
)

RESPONSE = shape(
    {
        "conversation": one_of("auto", "none"),
        "input": anything,
        "instructions": text,
        "output_modalities": _modalities,
        "audio": shape({"output": shape({"format": _FORMAT, "voice": _voice})}),
        "tools": _TOOLS,
        "tool_choice": _tool_choice,
        "parallel_tool_calls": boolean,
        "reasoning": or_null(shape({"effort": _EFFORT})),
        "max_output_tokens": either("inf", whole_number(1, 4096)),
        "metadata": or_null(metadata),
        "prompt": or_null(_PROMPT),
    }
)
