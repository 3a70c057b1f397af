"""Find where turns of speech begin and end, as the session's ``turn_detection`` asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from .engine import RATE
from .semantic import LONGEST_MS, SHORTEST_MS, sounds_finished
from .vad import FRAME, Vad

if TYPE_CHECKING:
    from ..ports import Samples

_ONSET_MS = 160
"""How long before it is noticed speech is taken to have begun; ``WebRtcVad`` takes so long after silence."""

_SEMANTIC = {"threshold": 0.5, "prefix_padding_ms": 300}


def in_samples(ms: int) -> int:
    """Return so many milliseconds in samples."""
    return ms * RATE // 1000


def in_ms(samples: int) -> int:
    """Return so many samples in milliseconds."""
    return samples * 1000 // RATE


@dataclass(frozen=True)
class SpeechStarted:
    """Say that somebody speaks, from ``at`` on, padding included; in samples since the session began."""

    at: int


@dataclass(frozen=True)
class SpeechStopped:
    """Say that the turn is over; ``at`` includes the silence that showed it."""

    at: int


Signal: TypeAlias = SpeechStarted | SpeechStopped


class TurnDetector:
    """Turn probabilities into turns: start above the threshold, stop after enough time below it."""

    def __init__(
        self, vad: Vad, config: dict[str, Any], *, position: int, said: Callable[[], str] = lambda: ""
    ) -> None:
        """Begin to listen.

        Args:
            vad: judges the sound.
            config: the ``turn_detection`` of a session.
            position: how many samples came before.
            said: tells what is understood of the turn so far; semantic detection goes by it.
        """
        self._vad = vad
        self._said = said
        self._position = position
        self._quiet_since = position
        self._earliest = position
        self.is_speaking = False
        self.configure(config)

    def configure(self, config: dict[str, Any]) -> None:
        """Take new settings over, in the middle of a turn too."""
        self._finished_silence: int | None = None
        if config["type"] == "semantic_vad":
            self._finished_silence = in_samples(SHORTEST_MS[config["eagerness"]])
            config = _SEMANTIC | {"silence_duration_ms": LONGEST_MS[config["eagerness"]]}
        self._threshold: float = config["threshold"]
        self._padding = in_samples(config["prefix_padding_ms"])
        self._silence = in_samples(config["silence_duration_ms"])

    def push(self, samples: Samples) -> Iterator[Signal]:
        """Take more sound and yield what happens in it, in order; each is dealt with before the next is looked for."""
        for probability in self._vad.judge(samples):
            self._position += FRAME
            if probability > 0 and probability >= self._threshold:
                self._quiet_since = self._position
                if not self.is_speaking:
                    self.is_speaking = True
                    began = self._position - in_samples(_ONSET_MS) - self._padding
                    yield SpeechStarted(max(self._earliest, began))
            elif self.is_speaking and self._is_long_enough(self._position - self._quiet_since):
                self.end_turn(self._position)
                yield SpeechStopped(self._position)

    def _is_long_enough(self, quiet: int) -> bool:
        if quiet >= self._silence:
            return True
        least = self._finished_silence
        return least is not None and quiet >= least and sounds_finished(self._said())

    def end_turn(self, at: int) -> None:
        """Wait for the next turn, which takes no sound from before ``at``."""
        self.is_speaking = False
        self._earliest = at
