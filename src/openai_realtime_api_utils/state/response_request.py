"""Ask for a response when none is open: a conversation has at most one at a time (reported)."""

from __future__ import annotations

from typing import Any

_OPEN_ALREADY = "conversation_already_has_active_response"


class ResponseRequest:
    """Remember that a response is wanted until it can be asked for. Sends nothing."""

    def __init__(self, event_id_prefix: str) -> None:
        self._prefix = event_id_prefix
        self._count = 0
        self._is_wanted = False
        self._asked: str | None = None
        self._open: set[str] = set()

    def want(self) -> None:
        """Ask at the next occasion; wanting twice before it comes is wanting once."""
        self._is_wanted = True

    def take(self) -> dict[str, Any] | None:
        """Return the ``response.create`` to send now; None where none is wanted, or another response is in the way."""
        if not self._is_wanted or self._open or self._asked is not None:
            return None
        self._is_wanted = False
        self._count += 1
        self._asked = f"{self._prefix}_{self._count}"
        return {"type": "response.create", "event_id": self._asked}

    def created(self, response_id: str) -> None:
        """Take note of a response of the conversation, whoever asked for it."""
        self._asked = None
        self._open.add(response_id)

    def done(self, response_id: str) -> None:
        """Take note of the end of a response."""
        self._open.discard(response_id)

    def refused(self, event_id: str | None, code: str | None) -> bool:
        """Take note of an ``error``; return whether it was ours and will be made up for.

        A response that the server began by itself can cross with ours: then ours is asked for again after it.
        """
        if event_id is None or event_id != self._asked:
            return False
        self._asked = None
        self._is_wanted = code == _OPEN_ALREADY
        return self._is_wanted
