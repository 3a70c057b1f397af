"""Cancel each response once, by its id."""

from __future__ import annotations

from typing import Any

_REMEMBERED = 256
"""How many cancels are remembered, for the refusals that may come; the oldest are forgotten."""


class Cancels:
    """Know which responses are being cancelled, and by which events. Sends nothing."""

    def __init__(self, event_id_prefix: str) -> None:
        self._prefix = event_id_prefix
        self._count = 0
        self._cancelled: set[str] = set()
        self._sent: dict[str, None] = {}
        self._due: list[dict[str, Any]] = []

    def is_cancelled(self, response_id: str) -> bool:
        """Tell whether a response that is not done is being cancelled."""
        return response_id in self._cancelled

    def are_ours(self, event: dict[str, Any]) -> bool:
        """Tell whether a cancel is one that ``take`` gave out."""
        return event.get("event_id") in self._sent

    def soon(self, response_id: str) -> None:
        """Cancel a response, unless that is being done."""
        if response_id not in self._cancelled:
            self._due.append(self._noted({"type": "response.cancel"}, response_id))

    def take(self) -> list[dict[str, Any]]:
        """Return the cancels to send now."""
        due, self._due = self._due, []
        return due

    def passing(self, event: dict[str, Any], response_id: str) -> dict[str, Any] | None:
        """Take a cancel on its way out; return it with its ids, None if its response is being cancelled already."""
        if self.are_ours(event):
            return event
        return None if response_id in self._cancelled else self._noted(event, response_id)

    def done(self, response_id: str) -> None:
        """Take note of the end of a response."""
        self._cancelled.discard(response_id)

    def refused(self, event_id: str) -> bool:
        """Tell, once, whether a refusal is about a cancel."""
        return self._sent.pop(event_id, self) is None

    def _noted(self, event: dict[str, Any], response_id: str) -> dict[str, Any]:
        self._count += 1
        noted = {**event, "event_id": event.get("event_id") or f"{self._prefix}_{self._count}"}
        self._cancelled.add(response_id)
        self._sent[noted["event_id"]] = None
        if len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]
        return {**noted, "response_id": response_id}
