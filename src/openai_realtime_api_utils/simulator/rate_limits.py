"""Keep account of the tokens of a minute."""

from __future__ import annotations

from typing import Any


class TokenBucket:
    """Be a bucket that holds a minute's tokens and is filled again at an even rate.

    That is how the one recorded ``rate_limits.updated`` reads: its ``reset_seconds`` is the time in which what is
    missing comes back.
    """

    def __init__(self, limit: int, now: float) -> None:
        self._limit = limit
        self._level = float(limit)
        self._at = now

    def is_empty(self, now: float) -> bool:
        self._fill(now)
        return self._level < 1

    def spend(self, tokens: int, now: float) -> None:
        """Take out so many, at most all there are."""
        self._fill(now)
        self._level = max(0.0, self._level - tokens)

    def limits(self, now: float) -> list[dict[str, Any]]:
        """Return the ``rate_limits`` of an event; recorded sessions have an entry for tokens alone."""
        self._fill(now)
        return [
            {
                "name": "tokens",
                "limit": self._limit,
                "remaining": int(self._level),
                "reset_seconds": round((self._limit - self._level) * 60 / self._limit, 3),
            }
        ]

    def _fill(self, now: float) -> None:
        self._level = min(self._limit, self._level + max(0.0, now - self._at) * self._limit / 60)
        self._at = now
