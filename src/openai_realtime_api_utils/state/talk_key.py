"""Know which sound belongs to a turn that a push-to-talk key delimits."""

from __future__ import annotations

from typing import Literal, TypeAlias

TurnEnd: TypeAlias = Literal["commit", "clear"]
"""What to do with the input audio buffer at the end of a turn."""


class TalkKey:
    """Follow a key. Sound from before its release may come after it, and still belongs to the turn."""

    def __init__(self, shortest_turn: int) -> None:
        """Make a key that is up.

        Args:
            shortest_turn: how many samples make a turn; less is cleared.
        """
        self.is_pressed = False
        self.released_at: float | None = None
        """When the key went up, until the turn has ended; else None."""
        self._shortest_turn = shortest_turn
        self._heard = 0

    @property
    def is_listening(self) -> bool:
        """Whether sound that comes now belongs to a turn."""
        return self.is_pressed or self.released_at is not None

    def press(self) -> None:
        """Begin a turn, the one before having been ended."""
        self.is_pressed = True

    def release(self, now: float) -> None:
        """Take note of the release; the turn ends when all of its sound has come."""
        if self.is_pressed:
            self.is_pressed, self.released_at = False, now

    def hear(self, samples: int) -> None:
        """Count sound of the turn."""
        self._heard += samples

    def end(self) -> TurnEnd | None:
        """End the turn of a key that was released; None where there is none."""
        if self.released_at is None:
            return None
        heard, self._heard, self.released_at = self._heard, 0, None
        return "commit" if heard >= self._shortest_turn else "clear"
