"""Ask for a response when none is open: a conversation has at most one at a time (reported)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OPEN_ALREADY = "conversation_already_has_active_response"
"""The code of the refusal of a second response (reported)."""


class ResponseRequest:
    """Remember that a response is wanted until it can be asked for. Sends nothing."""

    def __init__(self, event_id_prefix: str) -> None:
        self._prefix = event_id_prefix
        self._count = 0
        self._is_wanted = False
        self._response: Mapping[str, Any] = {}
        self._asked: str | None = None
        self._answered: str | None = None  # the last one asked, by whatever response came after it
        self._open: set[str] = set()

    @property
    def is_wanted(self) -> bool:
        """Whether a response is wanted that has not been asked for."""
        return self._is_wanted

    @property
    def is_answering(self) -> bool:
        """Whether a response is open, or has been asked for."""
        return bool(self._open) or self._asked is not None

    def want(self, response: Mapping[str, Any] | None = None) -> None:
        """Ask at the next occasion; wanting twice before it comes is wanting once, the latter way."""
        self._is_wanted = True
        self._response = response or {}

    def withdraw(self) -> None:
        """Want none any more: another response has come that will do."""
        self._is_wanted = False

    def take(self) -> dict[str, Any] | None:
        """Return the ``response.create`` to send now; None where none is wanted, or another response is in the way."""
        if not self._is_wanted or self.is_answering:
            return None
        self._is_wanted = False
        self._count += 1
        self._asked = f"{self._prefix}_{self._count}"
        body = {"response": dict(self._response)} if self._response else {}
        return {"type": "response.create", "event_id": self._asked, **body}

    def created(self, response_id: str) -> None:
        """Take note of a response of the conversation, whoever asked for it; there is one at a time."""
        if self._asked is not None:
            self._asked, self._answered = None, self._asked
        self._open = {response_id}  # one whose end was never told is over, too

    def done(self, response_id: str) -> None:
        """Take note of the end of a response."""
        self._open.discard(response_id)

    def refused(self, event_id: str | None, code: str | None) -> bool:
        """Take note of an ``error``; return whether it was ours and will be made up for.

        A response that the server began by itself can cross with ours: then ours is asked for again after it. By then
        that response may have been seen, and been taken for ours.
        """
        if event_id is None or event_id not in (self._asked, self._answered):
            return False
        if event_id == self._asked:
            self._asked = None
        self._answered = None
        is_crossed = code == OPEN_ALREADY
        self._is_wanted = self._is_wanted or is_crossed
        return is_crossed
