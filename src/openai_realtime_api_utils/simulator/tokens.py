"""Cut text as a model does, and count what a response costs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .conversation import Entry
from .images import image_tokens

_TOKEN = re.compile(r"\s*['\u2019]?\w+|\s*[^\w\s]+|\s+")
_CHARS_PER_TOKEN = 4
_USER_MS_PER_TOKEN = 100
_ASSISTANT_MS_PER_TOKEN = 50
"""One audio token per 100 ms of the user's speech and per 50 ms of the assistant's (API reference)."""


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


@dataclass(frozen=True)
class Count:
    """Hold tokens by what they are made of."""

    text: int = 0
    audio: int = 0
    image: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(self.text + other.text, self.audio + other.audio, self.image + other.image)

    @property
    def total(self) -> int:
        return self.text + self.audio + self.image

    def as_details(self) -> dict[str, int]:
        return {"text_tokens": self.text, "audio_tokens": self.audio, "image_tokens": self.image}


def count_head(instructions: str, tools: Sequence[Any]) -> Count:
    """Count what stands before the conversation."""
    return Count(count_text(instructions) + (count_text(json.dumps(tools)) if tools else 0))


def count_item(entry: Entry) -> Count:
    """Count an item in a response's context."""
    item = entry.item
    if item["type"] != "message":
        return Count(count_text("".join(_written(item))))
    text = sum(count_text(part.get("text") or "") for part in item["content"])
    if item["role"] == "assistant":
        spoken = sum(count_text(part.get("transcript") or "") for part in item["content"])
        return Count(text + spoken, assistant_audio_tokens(entry.audio_ms))
    images = sum(
        image_tokens(part["image_url"], part.get("detail", "auto"))
        for part in item["content"]
        if part["type"] == "input_image"
    )
    return Count(text, entry.audio_ms // _USER_MS_PER_TOKEN, images)


def _written(item: dict[str, Any]) -> Iterator[str]:
    """Yield what a model reads of an item that is no message."""
    for name in ("name", "arguments", "output", "reason"):
        if isinstance(item.get(name), str):
            yield item[name]
    if item["type"] == "mcp_list_tools":
        yield json.dumps(item["tools"])


def response_usage(given: Count, cached: Count, made: Count, *, reasoning: int | None) -> dict[str, Any]:
    """Return the ``usage`` of a response.

    Args:
        given: what the model read.
        cached: how much of it it had read before.
        made: what it wrote and said.
        reasoning: tokens that it thought with, which are counted as text too; None where a model does not tell.
    """
    said = Count(made.text + (reasoning or 0), made.audio)
    thought = {} if reasoning is None else {"reasoning_tokens": reasoning}
    return {
        "total_tokens": given.total + said.total,
        "input_tokens": given.total,
        "output_tokens": said.total,
        "input_token_details": {
            **given.as_details(),
            "cached_tokens": cached.total,
            "cached_tokens_details": cached.as_details(),
        },
        "output_token_details": {"text_tokens": said.text, "audio_tokens": said.audio, **thought},
    }
