"""Name what happens in a conversation, for whoever shows it: a screen, or a program that reads JSON lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True)
class Chose:
    """Tell a choice that was made before the conversation, and why."""

    what: str
    which: str
    why: str


@dataclass(frozen=True)
class Floor:
    """Tell who has the floor now: ``user``, ``assistant`` or ``nobody``."""

    who: str


@dataclass(frozen=True)
class Said:
    """Tell what somebody has said so far in one item."""

    who: str
    item_id: str
    text: str
    is_final: bool
    is_spoken: bool = True
    """Whether it has a voice, so that it is heard later than it is said."""


@dataclass(frozen=True)
class Heard:
    """Tell how far an item of the assistant has been heard."""

    item_id: str
    text: str
    is_over: bool
    """Whether it has sounded to its end."""


@dataclass(frozen=True)
class Level:
    """Tell how loud the microphone is, in dB below full scale, and what becomes of the loudspeaker in it."""

    dbfs: float
    echo: str = ""


@dataclass(frozen=True)
class Answered:
    """Tell how long the user waited: from the end of speech to the first audio."""

    turn: int
    latency_s: float
    of_it_silence_s: float
    """How much of it was the silence by which the server knows that the user is done."""


@dataclass(frozen=True)
class Interrupted:
    """Tell that the assistant was cut off, and what had been heard of it."""

    item_id: str
    heard_ms: int
    heard_text: str


@dataclass(frozen=True)
class Called:
    """Tell that a tool is called, and then what came of it."""

    call_id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""
    status: str
    """``running``; then ``answered``, ``failed``, ``timed_out``, ``cancelled`` or ``refused``."""
    output: str | None
    seconds: float


@dataclass(frozen=True)
class Problem:
    """Tell what went wrong without ending the conversation."""

    message: str


@dataclass(frozen=True)
class Summary:
    """Tell what it was in all."""

    turns: int
    user_audio_s: float
    assistant_audio_s: float
    tokens_in: int
    tokens_out: int
    files: list[str] = field(default_factory=list[str])


Moment: TypeAlias = Chose | Floor | Said | Heard | Level | Answered | Interrupted | Called | Problem | Summary
Tell: TypeAlias = Callable[[Moment], None]


def as_json(moment: Moment, t: float) -> dict[str, Any]:
    """Return a moment as one JSON object: when, in seconds since the start; what kind; its fields."""
    return {"t": round(t, 3), "kind": type(moment).__name__.lower(), **asdict(moment)}
