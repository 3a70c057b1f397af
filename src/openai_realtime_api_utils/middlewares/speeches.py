"""Keep the stretches of speech of a session: in the order of playing, by item, and those that are not over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..ports import SpeechId

if TYPE_CHECKING:
    from .speech import Speech

_REMEMBERED = 256
"""How many stretches of speech are remembered after they are over."""


class Speeches:
    """Hold speech; the oldest is forgotten when it is over, but not how much of it was heard."""

    def __init__(self) -> None:
        self._by_id: dict[SpeechId, Speech] = {}
        self._by_item: dict[str, list[Speech]] = {}
        self._live: list[Speech] = []  # at least those that are not over: a session has many that are
        self._forgotten_s = 0.0

    @property
    def ids(self) -> tuple[SpeechId, ...]:
        """The ids in the order of playing."""
        return tuple(self._by_id)

    @property
    def heard_s(self) -> float:
        """How much has been heard in all, in seconds."""
        return self._forgotten_s + sum(speech.heard_s for speech in self._by_id.values())

    @property
    def is_audible(self) -> bool:
        """Whether any has sound that has not sounded to its end."""
        return any(speech.is_audible for speech in self._live)

    def get(self, speech_id: SpeechId) -> Speech | None:
        """Return speech by its id."""
        return self._by_id.get(speech_id)

    def of_item(self, item_id: str) -> Sequence[Speech]:
        """Return the speech of an item, in the order of playing."""
        return self._by_item.get(item_id, ())

    def of_response(self, response_id: str) -> list[Speech]:
        """Return the speech of a response that may not be over."""
        return [speech for speech in self._live if speech.response_id == response_id]

    def going(self) -> Sequence[Speech]:
        """Return what is not over, in the order of playing."""
        self._live = [speech for speech in self._live if not speech.is_over]
        return self._live

    def left_until(self, last: Speech) -> int:
        """Return how many samples have to sound at least until the end of ``last``."""
        left = 0
        for speech in self._by_id.values():
            left += speech.left
            if speech is last:
                break
        return left

    def add(self, speech: Speech) -> None:
        """Take speech that plays after all the others."""
        self._by_id[speech.id] = speech
        self._by_item.setdefault(speech.id.item_id, []).append(speech)
        self._live = [*self.going(), speech]
        oldest = next(iter(self._by_id.values()))
        if len(self._by_id) > _REMEMBERED and oldest.is_over:
            self._forget(oldest)

    def _forget(self, speech: Speech) -> None:
        self._forgotten_s += speech.heard_s
        del self._by_id[speech.id]
        of_item = self._by_item[speech.id.item_id]
        of_item.remove(speech)
        if not of_item:
            del self._by_item[speech.id.item_id]
