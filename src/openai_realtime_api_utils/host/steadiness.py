"""Watch a stream: whether it still runs, and when to measure its time again."""

from __future__ import annotations

from .backend import Stream

STOPPED_S = 0.5
"""Without a sample for so long, a stream has stopped: it was unplugged, suspended, or its server is gone."""

_STARTING_S = 3.0
"""A stream may take a block and stand still for 1 to 2 s before it really starts (measured on a new PulseAudio)."""
_STARTED_S = 1.0
"""One that has moved for so long without a stop has started. What goes wrong before that does not count."""
_LONG_S = 0.05
"""Longer than any block."""
_PROBE_EVERY_S = 0.25
_PROBE_AGAIN_S = 0.03
"""After a stamp that says the stream jumped: two have to agree."""


class Steadiness:
    """Keep when a stream last moved and was last measured."""

    def __init__(self, now: float) -> None:
        self._runs_since = now
        self.moved_at = now
        """When its last sample went through, to a step of the engine."""
        self.is_alive = True
        self._frames = 0
        self._next_probe = 0.0

    @property
    def has_started(self) -> bool:
        """Whether it has got over its start."""
        return self.moved_at - self._runs_since > _STARTED_S

    def see(self, now: float, stream: Stream) -> None:
        """Look how many samples went through by now."""
        frames = stream.frames
        if frames != self._frames:
            if now - self.moved_at > STOPPED_S:
                self._runs_since = now
            self._frames = frames
            self.moved_at = now
        elif now - self.moved_at > _LONG_S:  # asking costs; what moves is alive
            self.is_alive = stream.is_alive

    def has_stopped(self, now: float) -> bool:
        """Whether nothing went through for too long, or the sound system says that it ended."""
        return not self.is_alive or now - self.moved_at > (STOPPED_S if self.has_started else _STARTING_S)

    def is_probe_due(self, now: float) -> bool:
        """Whether to measure again; asked each step."""
        if now < self._next_probe:
            return False
        self._next_probe = now + _PROBE_EVERY_S
        return True

    def stamped(self, now: float, *, in_doubt: bool) -> None:
        """Take that a measurement came, and whether it leaves a doubt."""
        if in_doubt:
            self._next_probe = now + _PROBE_AGAIN_S
