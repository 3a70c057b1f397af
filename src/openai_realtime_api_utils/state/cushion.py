"""Decide how much speech must be there before it sounds, from how speech has come so far."""

from __future__ import annotations

from collections import deque

AFTER_DRY_MS = 400.0
"""Speech that ran dry waits for at least this much: one pause that is heard is better than several. Over a network
with gaps of up to 300 ms that catches up at 1.2 times real time, none of 1000 items ran dry twice (with 300 ms, some).
"""

_MOST_MS = 600.0
"""A network that is worse than this is not made good by waiting."""
_REMEMBERED = 4
"""Speeches whose lateness counts for the next: a network that has become smooth is soon forgiven."""


class Cushion:
    """Keep how late speech came in a session, and say with how much of it the next may begin.

    Speech was late by as much as it would have had to start later so that it never ran dry.
    """

    def __init__(self, least_ms: float) -> None:
        self._least_ms = least_ms
        self._late_ms: deque[float] = deque(maxlen=_REMEMBERED)
        self.underruns = 0
        """How often speech ran dry in the middle."""

    @property
    def start_ms(self) -> float:
        """How much speech must be there before it begins; on a smooth network, the least."""
        return max(self._least_ms, min(max(self._late_ms, default=0.0), _MOST_MS))

    def learn(self, arrivals: Arrivals) -> None:
        """Take how one speech came."""
        self._late_ms.append(arrivals.late_ms)


class Arrivals:
    """Keep how one speech comes."""

    def __init__(self) -> None:
        self._late_s = 0.0
        self._longest_gap_s = 0.0
        self._last: float | None = None
        self._due = 0.0

    @property
    def late_ms(self) -> float:
        """How much later it would have had to start so that it never ran dry."""
        return self._late_s * 1000

    @property
    def after_dry_ms(self) -> float:
        """How much must be there before speech that ran dry goes on: twice the longest gap."""
        return max(AFTER_DRY_MS, min(2 * self._longest_gap_s * 1000, _MOST_MS))

    def came(self, now: float, seconds: float) -> None:
        """Take that so many seconds of speech came."""
        last = self._last
        if last is None:
            self._due = last = now
        if now - self._due > self._late_s:
            self._late_s = now - self._due
        if now - last > self._longest_gap_s:
            self._longest_gap_s = now - last
        self._last = now
        self._due += seconds
