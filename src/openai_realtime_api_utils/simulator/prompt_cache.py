"""Know which beginnings of a prompt a model has read lately: those cost less."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeAlias

from .tokens import Count

Prompt: TypeAlias = Sequence[tuple[Hashable, Count]]
"""The pieces of a prompt in order, each by what tells it from others, with its tokens."""

_BLOCK = 64
"""Cached tokens come in multiples of this (recorded sessions)."""
_REMEMBERED = 8
"""Prompts that are remembered: the conversation's, and those of responses beside it."""


class PromptCache:
    """Remember prompts, and match new ones by their beginnings.

    A conversation that only grows is cached but for its latest turn; other instructions or tools, or an early item
    that is deleted or dropped, and nothing after it matches (API reference).
    """

    def __init__(self) -> None:
        self._prompts: deque[Prompt] = deque(maxlen=_REMEMBERED)

    def cached(self, prompt: Prompt) -> Count:
        """Return how much of a prompt is cached: whole blocks of the longest beginning that was read before."""
        shared = max((_shared(prompt, before) for before in self._prompts), key=lambda c: c.total, default=Count())
        left = shared.total // _BLOCK * _BLOCK
        text = min(left, shared.text)
        audio = min(left - text, shared.audio)
        return Count(text, audio, left - text - audio)

    def remember(self, prompt: Iterable[tuple[Hashable, Count]]) -> None:
        """Remember a prompt, and what was made of it, as read."""
        self._prompts.append(tuple(prompt))


def _shared(prompt: Prompt, before: Prompt) -> Count:
    total = Count()
    for piece, other in zip(prompt, before, strict=False):
        if piece != other:
            break
        total += piece[1]
    return total
