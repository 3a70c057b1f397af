"""Know who has the floor, and how long the user waited for an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum


class Floor(Enum):
    """Say who is speaking."""

    NOBODY = "nobody"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True)
class Turn:
    """Hold the state of turn-taking; every method returns the next state."""

    floor: Floor = Floor.NOBODY
    is_sounding: bool = False
    """Whether the assistant's speech is coming out of the loudspeaker."""
    spoke_until: float | None = None
    """When the user's speech ended, until it has been answered; in seconds of the clock."""
    latency_s: float | None = None
    """From the end of the user's speech to the first audio of the answer; None until there is some."""
    answered: int = 0
    """How many of the user's turns have been answered with audio."""

    def user_started(self) -> Turn:
        """Take ``speech_started``, or a pressed key."""
        return replace(self, floor=Floor.USER, spoke_until=None)

    def user_stopped(self, now: float, silence_s: float = 0.0) -> Turn:
        """Take ``speech_stopped``, which comes ``silence_s`` after the speech really ended, or a released key."""
        return replace(self, floor=_floor_of(self.is_sounding), spoke_until=now - silence_s)

    def audio_received(self, now: float) -> Turn:
        """Take an audio delta of the default conversation."""
        if self.spoke_until is None:
            return self
        waited = now - self.spoke_until
        return replace(self, spoke_until=None, latency_s=waited, answered=self.answered + 1)

    def sounding(self, is_sounding: bool) -> Turn:
        """Take whether the assistant sounds; while the user speaks, the floor is the user's all the same."""
        floor = Floor.USER if self.floor is Floor.USER else _floor_of(is_sounding)
        return replace(self, is_sounding=is_sounding, floor=floor)


def _floor_of(is_sounding: bool) -> Floor:
    return Floor.ASSISTANT if is_sounding else Floor.NOBODY
