"""Say what the simulator needs of an engine: something that listens, something that thinks, something that speaks.

The session (``session.py``) never calls an engine. It emits commands; whoever runs the session carries them out and
feeds the results back. So a scripted engine, a real listener and a remote model all look alike to it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from ..ports import Samples

RATE = 24_000
"""Samples per second of all sound between session and engine (the API's PCM rate)."""


@dataclass(frozen=True)
class Turn:
    """Hold all that a model is given when it is asked for a response."""

    instructions: str
    items: Sequence[Mapping[str, Any]]
    """The items in order, in the API's own shape; spoken user items carry their ``transcript``."""
    tools: Sequence[Mapping[str, Any]] = ()
    tool_choice: Any = "auto"
    modality: str = "audio"
    """``"audio"`` or ``"text"``."""
    translate_to: str | None = None
    """The language into which the last item is to be translated, in a translation session; None in a conversation."""


@dataclass(frozen=True)
class Say:
    """Be something that the model says, a sentence or so at a time; the pieces of one message concatenate."""

    text: str
    phase: Literal["commentary", "final_answer"] = "final_answer"
    """What the message that it begins is for; shown by 2.x models, ``commentary`` before a call (recorded sessions)."""


@dataclass(frozen=True)
class Call:
    """Be a call of one of the client's functions."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Fail:
    """End the response as ``failed`` (or the transcription, where a listener returns it)."""

    code: str
    message: str


Thought: TypeAlias = Say | Call | Fail


class Listening(Protocol):
    """Be one utterance on its way into a listener."""

    async def hear(self, samples: Samples) -> str:
        """Take more of the utterance; return what is newly understood for certain, ``""`` if nothing is."""
        ...

    async def finish(self) -> str | Fail:
        """Return the whole transcript; ``""`` where nobody spoke."""
        ...

    async def drop(self) -> None:
        """Forget the utterance: nobody will ask for its transcript."""
        ...


class Engine(Protocol):
    """Listen, think and speak for one session. One is made per session; ``close`` ends it.

    Any of these may be cancelled at any await. An engine that works outside the event loop (a thread, a process, a
    network) does so inside ``clock.working()``, so that a clock that jumps waits for it.
    """

    def listen(self) -> Listening:
        """Begin to listen to one utterance."""
        ...

    def think(self, turn: Turn) -> AsyncIterator[Thought]:
        """Answer; the iteration is closed early when the response is cancelled."""
        ...

    async def speak(self, text: str, *, voice: str, speed: float) -> Samples:
        """Return speech for ``text``: int16, mono, at ``RATE``."""
        ...

    async def close(self) -> None: ...
