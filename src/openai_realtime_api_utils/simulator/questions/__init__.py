"""Ship a few spoken questions, so that there is something to say where there is no microphone.

They are WAV files of 16 kHz, mono, 16-bit, spoken by flite's ``slt`` voice, which the local listener understands.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ...errors import SimulatorError


class Question(NamedTuple):
    """Be what one file says."""

    sentences: tuple[str, ...]
    pause_s: float = 0.0
    """Silence between the sentences, in seconds: time for an answer, or for the part of it that is cut off."""


QUESTIONS = {
    "sum": Question(("What is six times seven?",)),
    "time": Question(("Can you tell me what time it is?",)),
    "weather": Question(("What is the weather in Paris?",)),
    "story": Question(("Tell me a long story.",)),
    "two_turns": Question(("What is twenty plus thirty?", "And what is nine times nine?"), 6.0),
    "interruption": Question(("Tell me a long story.", "Please stop now."), 6.0),
}
"""What each file says, by its name."""

NAMES = tuple(QUESTIONS)
DEFAULT = "sum"
"""The question whose answer is always the same, and needs nothing but arithmetic."""


def path(name: str = DEFAULT) -> Path:
    """Return the WAV file of a question.

    Raises:
        SimulatorError: there is no such question.
    """
    if name not in QUESTIONS:
        raise SimulatorError(f"There is no spoken question {name!r}: the questions are {', '.join(NAMES)}.")
    return Path(__file__).with_name(f"{name}.wav")
