"""Select what a new session is given: as much of the conversation as fits, and a summary of the rest."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

from ..clock import Clock
from ..state.restore import Restored, fitting, restored, summary_item
from ..tasks import within
from .views import ConversationView

_logger = logging.getLogger(__name__)

Summarise: TypeAlias = Callable[[Sequence[Mapping[str, Any]]], Awaitable[str]]
"""Makes a short text of items, given as ``conversation.item.create`` takes them."""

_SUMMARY_WITHIN_S = 10.0
"""How long a summary may take, since the user waits for it."""


class Selection:
    """Select from one conversation, and make no summary twice."""

    def __init__(
        self, conversation: ConversationView, max_tokens: int, summarise: Summarise | None, clock: Clock
    ) -> None:
        self._conversation = conversation
        self._max_tokens = max_tokens
        self._summarise = summarise
        self._clock = clock
        self._summarised: tuple[list[str], Restored] | None = None

    def leave_out(self, found: Sequence[Restored]) -> int:
        """Return how many of the oldest items do not fit."""
        return fitting(found, self._max_tokens)

    async def wanted(self, user_audio: Mapping[str, str], under_way: Collection[str] = ()) -> list[Restored]:
        """Return what a session of this conversation should hold now.

        Args:
            user_audio: the sound of turns that have no transcript, base64, by item id.
            under_way: responses whose items still grow, and are left out.
        """
        items = [item for item in self._conversation.items if item.response_id not in under_way]
        found = restored(items, user_audio=user_audio)
        left_out = fitting(found, self._max_tokens)
        if left_out == 0:
            return found
        summary = await self._summary_of(found[:left_out])
        return [*([summary] if summary else []), *found[left_out:]]

    async def _summary_of(self, old: Sequence[Restored]) -> Restored | None:
        if self._summarise is None:
            return None
        ids = [one.id for one in old]
        if self._summarised is not None and self._summarised[0] == ids:
            return self._summarised[1]
        try:
            text = await within(_SUMMARY_WITHIN_S, self._clock, self._words([one.param for one in old]))
        except Exception as error:  # noqa: BLE001  (the user's own function)
            _logger.warning("The %d oldest items were dropped, for they could not be summarised: %s", len(old), error)
            return None
        self._summarised = (ids, summary_item(text))
        return self._summarised[1]

    async def _words(self, items: Sequence[Mapping[str, Any]]) -> str:
        return await self._summarise(items) if self._summarise else ""
