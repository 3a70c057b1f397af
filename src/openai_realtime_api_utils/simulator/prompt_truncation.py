"""Leave the oldest items out of what a model is given, when a conversation has outgrown it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .conversation import Entry
from .refusals import Refusal
from .tokens import Count, count_item

_SMALL = 28_224
"""Tokens of input that a model with a window of 32k takes (API reference)."""
_LARGE = 96_000
"""The same of the 2.x family: a window of 128k less 32k of output (model pages)."""


def input_limit(*, is_second_generation: bool) -> int:
    """Return how many tokens of input a model takes."""
    return _LARGE if is_second_generation else _SMALL


def check_limits(truncation: Any, limit: int) -> None:
    """Check a session's own token limits.

    Raises:
        Refusal: they are more than the model takes.
    """
    asked = _own_limit(truncation)
    if asked is not None and asked > limit:
        raise Refusal(
            f"Invalid 'session.truncation.token_limits.post_instructions': expected at most {limit}, "
            f"the model's window less its output, but got {asked} instead.",
            code="invalid_value",
            param="session.truncation.token_limits.post_instructions",
        )


def fitted(entries: Sequence[Entry], truncation: Any, head: Count, limit: int) -> list[Entry]:
    """Return what a model is given of a conversation; what is left out once stays out, for the cache's sake.

    Args:
        entries: the items in order.
        truncation: as in a session's configuration.
        head: the tokens of the instructions and tools.
        limit: the tokens of input that the model takes.

    Raises:
        Refusal: it is too much, and truncation is disabled.
    """
    kept = [entry for entry in entries if entry.is_in_context]
    own = _own_limit(truncation)
    room = max(0, limit - head.total) if own is None else own
    total = sum(count_item(entry).total for entry in kept)
    if total <= room:
        return kept
    if truncation == "disabled":
        raise Refusal(
            f"The conversation has {total} tokens after the instructions, more than the {room} that the model takes. "
            "Delete items, or do not disable truncation.",
            code="context_length_exceeded",
        )
    ratio: float = 1.0 if isinstance(truncation, str) else truncation["retention_ratio"]
    while kept and (total > room * ratio or kept[0].item["type"] == "function_call_output"):
        entry = kept.pop(0)  # an output without its call means nothing to a model
        entry.is_in_context = False
        total -= count_item(entry).total
    return kept


def _own_limit(truncation: Any) -> int | None:
    if truncation is None or isinstance(truncation, str):
        return None
    return truncation.get("token_limits", {}).get("post_instructions")
