"""Know which calls are open, by the response that made them, and when the model can go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_REMEMBERED = 1_024
"""How many calls are remembered, so that an event that comes twice runs nothing twice; the oldest are forgotten."""


@dataclass(eq=False)
class Round:
    """Be a response and the calls it made."""

    response_id: str
    is_out_of_band: bool = False
    tag: str | None = None
    """By what the request for it was known."""
    metadata: Mapping[str, Any] = field(default_factory=dict[str, Any])
    status: str | None = None
    """How the response ended; None while it goes on."""
    output: tuple[dict[str, Any], ...] = ()
    """What it made, once it is done."""
    item_ids: set[str] = field(default_factory=set[str])
    open: set[str] = field(default_factory=set[str])
    """The calls that are not answered."""
    answers: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """The items that answer its calls, in the order in which they were ready."""
    is_continued: bool = False
    """Whether the model is to go on when all are answered."""


class Calls:
    """Follow the calls of every response. Sends nothing."""

    def __init__(self) -> None:
        self._rounds: dict[str, Round] = {}
        self._round_of: dict[str, Round | None] = {}  # None for those that are answered: of a round much is known

    @property
    def open(self) -> tuple[str, ...]:
        """The calls that are not answered."""
        return tuple(call for each in self._rounds.values() for call in each.open)

    def round(self, response_id: str) -> Round:
        """Return the round of a response; it begins if nothing was heard of it before."""
        return self._rounds.setdefault(response_id, Round(response_id))

    def open_round(self, response_id: str | None) -> Round | None:
        """Return the round of a response that is known and not over."""
        return self._rounds.get(response_id or "")

    def round_of(self, call: str) -> Round | None:
        """Return the round of a call that was begun; None if it is not known, or answered."""
        return self._round_of.get(call)

    def begin(self, response_id: str, call: str) -> bool:
        """Take note of a call; return whether it is news."""
        if call in self._round_of:
            return False
        found = self._round_of[call] = self.round(response_id)
        found.open.add(call)
        while len(self._round_of) > _REMEMBERED:
            del self._round_of[next(iter(self._round_of))]
        return True

    def end(self, call: str, answer: dict[str, Any] | None = None, *, is_continued: bool = True) -> None:
        """Take note that a call is answered.

        Args:
            call: the call.
            answer: the item that answers it; None where the server has it already.
            is_continued: whether the model is to go on because of it.
        """
        found = self._round_of.get(call)
        if found is None or call not in found.open:
            return
        found.open.discard(call)
        self._round_of[call] = None
        found.is_continued = found.is_continued or is_continued
        if answer is not None:
            found.answers.append(answer)

    def finished(self) -> list[Round]:
        """Return the rounds that are over, once each: the response is done, and every call is answered."""
        over = [each for each in self._rounds.values() if each.status is not None and not each.open]
        for each in over:
            del self._rounds[each.response_id]
        return [each for each in over if each.is_continued]
