"""Find the handlers that hold up the others.

Events are handled one after the other, so while one handler works or waits, nothing else of the session is seen: not
the user who interrupts either. One that works without awaiting holds up every other session of the process, too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from .clock import Clock

_GROWTH = 2.0
"""A handler is told again when it is this many times slower than told before, so that a log stays short."""


class SlowHandlers:
    """Tell each handler that takes longer than a limit over one event, once, and again if it gets much worse."""

    def __init__(self, clock: Clock, logger: logging.Logger, limit_ms: float) -> None:
        """Watch handlers.

        Args:
            clock: tells how long they take.
            logger: is told, as a warning.
            limit_ms: what is told; the user hears a pause in speech from some 50 ms on.
        """
        self.now: Callable[[], float] = clock.now
        self.limit_s = limit_ms / 1000
        self._logger = logger
        self._worst: dict[str, float] = {}

    def took(self, handler: str, seconds: float, event_type: str, *, awaited: bool) -> None:
        """Take note of a handler that took longer than the limit."""
        if seconds < self._worst.get(handler, 0.0) * _GROWTH:
            return
        self._worst[handler] = seconds
        self._logger.warning(
            "The handler %s took %.0f ms over %s and held up every event behind it: %s.",
            handler,
            seconds * 1000,
            event_type,
            "hand what it awaits to send.spawn" if awaited else "it blocked the event loop; use asyncio.to_thread",
        )
