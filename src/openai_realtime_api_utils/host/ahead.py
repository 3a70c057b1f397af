"""Watch how far a loudspeaker's stream is ahead of the clock: what is more than its buffer holds is thrown away.

A sound server that finds the buffer empty has the stream begun anew, and drops what it had been given since. Where the
server's own blocks are as long as the stream's, that was seen to happen hundreds of times in a row, each time with a
block of speech.
"""

from __future__ import annotations

_TOO_FAR_BLOCKS = 6
"""How much further ahead a stream has run away. One that sounded whole came to 4.7 (320 openings with blocks of 6 to
10 ms, on 2 cores with none to 4 busy processes).
"""
_SKEW = 1e-3
"""By how much another clock may run faster than ours."""


class Ahead:
    """Keep how far ahead a stream is at least.

    Two looks in a row must see it run away: the engine may have been held up between reading the clock and the stream.
    """

    def __init__(self, rate: int, block: int, now: float) -> None:
        self.least = -now
        """Seconds taken, less the time; the least of late."""
        self.is_running_away = False
        self.steady_at = now
        """When it was last seen to take no more than it could sound."""
        self._rate = rate
        self._too_far_s = _TOO_FAR_BLOCKS * block / rate
        self._seen_at = now
        self._was_too_far = False

    def see(self, now: float, frames: int) -> None:
        """Look how many samples were taken by now."""
        ahead = frames / self._rate - now
        self.least = min(ahead, self.least + _SKEW * (now - self._seen_at))
        self._seen_at = now
        is_too_far = ahead - self.least > self._too_far_s
        self.is_running_away = is_too_far and self._was_too_far
        self._was_too_far = is_too_far
        if ahead - self.least < self._too_far_s / 2:
            self.steady_at = now
