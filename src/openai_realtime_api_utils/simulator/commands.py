"""Name what a session asks of whoever runs it, and what it is told in return.

A session does nothing itself: it returns events for the client and commands for an engine, and is fed results.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from ..ports import Samples
    from .engine import Call, Fail, Say, Turn


@dataclass(frozen=True)
class Listen:
    """Begin to listen to the utterance that is, or will be, this item."""

    item_id: str


@dataclass(frozen=True)
class Hear:
    """Give the listener of this item more sound: int16, mono, at ``engine.RATE``."""

    item_id: str
    samples: Samples


@dataclass(frozen=True)
class Understand:
    """Tell the listener that the utterance is over; answer with ``Understood``."""

    item_id: str


@dataclass(frozen=True)
class Forget:
    """Drop the utterance: nobody will ask for it."""

    item_id: str


@dataclass(frozen=True)
class Think:
    """Ask the model for a response; answer with ``Thought`` for each piece and then ``Finished``."""

    response_id: str
    turn: Turn
    voice: str
    speed: float


@dataclass(frozen=True)
class Stop:
    """Stop thinking and speaking for this response: it is over."""

    response_id: str


@dataclass(frozen=True)
class Close:
    """Close the connection."""

    code: int
    reason: str


@dataclass(frozen=True)
class For:
    """Send this event to one view of a call's session, and to no other."""

    view: int
    event: dict[str, Any]


@dataclass(frozen=True)
class Play:
    """Play more speech to the caller, after what is still to be played: int16, mono, at ``engine.RATE``."""

    response_id: str
    samples: Samples


@dataclass(frozen=True)
class Hush:
    """Play no more of what the caller has not heard yet."""


Command: TypeAlias = Listen | Hear | Understand | Forget | Think | Stop | Close | For | Play | Hush


@dataclass(frozen=True)
class Overheard:
    """Say what has been understood for certain since the last time, while the utterance goes on."""

    item_id: str
    text: str


@dataclass(frozen=True)
class Understood:
    """Say what the whole utterance was, or that it could not be understood."""

    item_id: str
    transcript: str | Fail


@dataclass(frozen=True)
class Thought:
    """Deliver a piece of a response; ``samples`` is its speech where it is spoken."""

    response_id: str
    thought: Say | Call | Fail
    samples: Samples | None = None


@dataclass(frozen=True)
class Finished:
    """Say that the model has nothing to add to this response."""

    response_id: str


Result: TypeAlias = Overheard | Understood | Thought | Finished
