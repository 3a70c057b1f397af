"""Cut text as a model does, and count what a response costs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from .conversation import Entry

_TOKEN = re.compile(r"\s*['\u2019]?\w+|\s*[^\w\s]+|\s+")
_CHARS_PER_TOKEN = 4
_USER_MS_PER_TOKEN = 100
_ASSISTANT_MS_PER_TOKEN = 50
"""One audio token per 100 ms of the user's speech and per 50 ms of the assistant's (API reference)."""
_CACHE_BLOCK = 64
"""Cached tokens come in multiples of this (recorded sessions)."""


def tokens(text: str) -> list[str]:
    """Cut text into words with the space before them, and punctuation; the pieces concatenate to the text."""
    return _TOKEN.findall(text)


def count_text(text: str) -> int:
    """Estimate the tokens of a text: about four characters each."""
    return -(-len(text) // _CHARS_PER_TOKEN)


def assistant_audio_tokens(ms: int) -> int:
    """Count the tokens of so much of the assistant's speech."""
    return -(-ms // _ASSISTANT_MS_PER_TOKEN)


def transcription_usage(model: str, ms: int, transcript: str) -> dict[str, Any]:
    """Return the usage of one transcription: by tokens for the 4o models, else by whole seconds begun."""
    if not model.startswith("gpt-4o"):
        return {"type": "duration", "seconds": -(-ms // 1000)}
    heard, said = ms // _USER_MS_PER_TOKEN, count_text(transcript)
    return {
        "type": "tokens",
        "total_tokens": heard + said,
        "input_tokens": heard,
        "input_token_details": {"text_tokens": 0, "audio_tokens": heard},
        "output_tokens": said,
    }


def _input_tokens(entry: Entry) -> tuple[int, int]:
    """Return the text and audio tokens of an item in a response's context."""
    item = entry.item
    if item["type"] == "function_call":
        return count_text(item["name"] + item["arguments"]), 0
    if item["type"] == "function_call_output":
        return count_text(item["output"]), 0
    written = sum(count_text(part.get("text") or "") for part in item["content"])
    if item["role"] == "assistant":
        spoken = sum(count_text(part.get("transcript") or "") for part in item["content"])
        return written + spoken, assistant_audio_tokens(entry.audio_ms)
    return written, entry.audio_ms // _USER_MS_PER_TOKEN


def _details(text: int, audio: int) -> dict[str, int]:
    return {"text_tokens": text, "audio_tokens": audio, "image_tokens": 0}


def response_usage(
    instructions: str,
    tools: Sequence[Any],
    context: Sequence[Entry],
    *,
    said: str,
    audio_ms: int,
    already_seen: int,
) -> dict[str, Any]:
    """Return the ``usage`` of a response.

    Args:
        instructions: what the response was asked to follow.
        tools: the functions that it was offered.
        context: the items that it was given.
        said: all text, transcripts and arguments that it made.
        audio_ms: how much speech it made.
        already_seen: tokens that the response before it had, of which whole blocks count as cached.
    """
    counted = [_input_tokens(entry) for entry in context]
    text = count_text(instructions) + sum(t for t, _ in counted)
    if tools:
        text += count_text(json.dumps(tools))
    audio = sum(a for _, a in counted)
    cached = min(already_seen, text + audio) // _CACHE_BLOCK * _CACHE_BLOCK
    cached_text = min(cached, text)
    said_text, said_audio = count_text(said), assistant_audio_tokens(audio_ms)
    return {
        "total_tokens": text + audio + said_text + said_audio,
        "input_tokens": text + audio,
        "output_tokens": said_text + said_audio,
        "input_token_details": {
            **_details(text, audio),
            "cached_tokens": cached,
            "cached_tokens_details": _details(cached_text, cached - cached_text),
        },
        "output_token_details": {"text_tokens": said_text, "audio_tokens": said_audio},
    }
