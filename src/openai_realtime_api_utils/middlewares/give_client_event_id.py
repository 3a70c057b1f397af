"""Give an ``event_id`` to client events that have none, so that an error can be told which of them it is about."""

from __future__ import annotations

import itertools
import secrets
from typing import Any

from ..handlers import Metadata


class GiveClientEventId:
    """Give every client event without an ``event_id`` one: ``evt_`` + six letters of this middleware + a number.

    Put it first among the client event handlers, so that those after it know the id.
    """

    def __init__(self) -> None:
        self._prefix = f"evt_{secrets.token_hex(3)}_"  # so that two connections in one log are told apart
        self._numbers = itertools.count(1)

    def client_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Return a copy of the event with an id, or the very event if it has one."""
        if event.get("event_id"):
            return event, metadata
        return {**event, "event_id": f"{self._prefix}{next(self._numbers)}"}, metadata
