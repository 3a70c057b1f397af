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
        self.late_ms = 0.0
        """How much later it would have had to start so that it never ran dry."""
        self._longest_gap_ms = 0.0
        self._first: float | None = None
        self._last = 0.0
        self._received_s = 0.0

    @property
    def after_dry_ms(self) -> float:
        """How much must be there before speech that ran dry goes on: twice the longest gap."""
        return max(AFTER_DRY_MS, min(2 * self._longest_gap_ms, _MOST_MS))

    def came(self, now: float, seconds: float) -> None:
        """Take that so many seconds of speech came."""
        if self._first is None:
            self._first = now
        else:
            late_ms, gap_ms = (now - self._first - self._received_s) * 1000, (now - self._last) * 1000
            if late_ms > self.late_ms:
                self.late_ms = late_ms
            if gap_ms > self._longest_gap_ms:
                self._longest_gap_ms = gap_ms
        self._last = now
        self._received_s += seconds
