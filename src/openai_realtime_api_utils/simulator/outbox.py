"""Collect what leaves a session, in order, and do things later."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from typing import Any

from .commands import Command
from .ids import Ids


class Outbox:
    """Hold the events for the client and the commands for the runner, in the order in which they came about."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self._waiting: list[dict[str, Any] | Command] = []

    def made(self, event_type: str, **fields: Any) -> dict[str, Any]:
        """Make an event; its id is made here."""
        return {"type": event_type, "event_id": self.ids.new("event"), **fields}

    def event(self, event_type: str, **fields: Any) -> None:
        """Send the client an event."""
        self._waiting.append(self.made(event_type, **fields))

    def bare(self, event: dict[str, Any]) -> None:
        """Send the client an event that has no id."""
        self._waiting.append(event)

    def command(self, command: Command) -> None:
        self._waiting.append(command)

    def take(self) -> list[dict[str, Any] | Command]:
        """Return everything that waits, and hold nothing."""
        taken, self._waiting = self._waiting, []
        return taken


class Timeline:
    """Do things at their time: those of one time in the order in which they were put down."""

    def __init__(self) -> None:
        self._order = itertools.count()
        self._steps: list[tuple[float, int, str, Callable[[float], None]]] = []

    def at(self, due: float, owner: str, step: Callable[[float], None]) -> None:
        """Call ``step(now)`` at ``due``, unless what ``owner`` still has to do is dropped before."""
        heapq.heappush(self._steps, (due, next(self._order), owner, step))

    def drop(self, owner: str) -> None:
        """Forget all that ``owner`` still has to do."""
        self._steps = [step for step in self._steps if step[2] != owner]
        heapq.heapify(self._steps)

    def next(self) -> float | None:
        """Return when the next step is due."""
        return self._steps[0][0] if self._steps else None

    def advance(self, now: float) -> None:
        """Take every step whose time has come. A step may put down others, or drop some."""
        while self._steps and self._steps[0][0] <= now:
            due, _, _, step = heapq.heappop(self._steps)
            step(due)
