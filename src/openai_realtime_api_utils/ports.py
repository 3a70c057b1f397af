"""Name what the library needs from the outside: a connection, a microphone, a loudspeaker.

Anything of these shapes will do: the SDK's connection or the simulator's, a sound card, a WAV file, a browser, a
telephone line. Sound is mono, 16-bit signed, at the port's own ``rate``; times are the injected clock's seconds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.int16]
    """Mono 16-bit samples, shape ``(n,)``."""


class Connection(Protocol):
    """Carry events to and from a Realtime server, one JSON text frame each.

    The SDK's ``AsyncRealtimeConnection`` is one. A connection that has no ``recv_bytes`` or ``send_raw`` is used
    through ``recv()`` and ``send(event)`` instead. When it is over, ``recv_bytes`` and ``send_raw`` raise
    ``websockets.exceptions.ConnectionClosed`` or ``ConnectionLost``.
    """

    async def recv_bytes(self) -> bytes: ...

    async def send_raw(self, data: str, /) -> None: ...

    async def close(self, *, code: int = 1000, reason: str = "") -> None: ...


class Frame(NamedTuple):
    """Hold a stretch of sound and when it happened."""

    samples: Samples
    """Mono 16-bit, shape ``(n,)``."""
    time: float
    """When the first sample was at the converter, in seconds of the clock."""
    lost: int = 0
    """How many samples went missing just before this frame."""


class SpeechId(NamedTuple):
    """Name one stretch of speech: a content part of an item."""

    item_id: str
    content_index: int = 0


class Heard(NamedTuple):
    """Say how much of a stretch of speech has sounded."""

    samples: int
    """Samples of it that have left the converter, at the speaker's rate."""
    at: float
    """When that was so, in seconds of the clock."""
    exact: bool = True
    """False where the device gives an estimate only."""


class Microphone(Protocol):
    """Deliver sound as it happens."""

    @property
    def rate(self) -> int:
        """Samples per second of every frame."""
        ...

    def frames(self) -> AsyncIterator[Frame]:
        """Iterate over the frames in order of time, until the microphone ends. One iteration at a time."""
        ...


class Playback(Protocol):
    """Be one stretch of speech on its way out of a loudspeaker."""

    def write(self, samples: Samples) -> None:
        """Add sound to the end. Never waits; if the speech had run dry it goes on from here, faded in."""
        ...

    def finish(self) -> None:
        """Promise that nothing more will be written."""
        ...

    def hold(self) -> None:
        """Fall silent, and keep what has not sounded."""
        ...

    def go_on(self) -> None:
        """Resume at the very sample at which it was held."""
        ...

    def cancel(self) -> Heard:
        """Fall silent, drop what has not sounded, and return how much has."""
        ...

    def heard(self) -> Heard:
        """Return how much has sounded by now."""
        ...


class Speaker(Protocol):
    """Sound stretches of speech one after the other, in the order in which they were started."""

    @property
    def rate(self) -> int:
        """Samples per second that playbacks take.

        A speaker may also have a ``lead_s``: how much earlier than it sounds speech must be written to join on to what
        is before it; without it, none.
        """
        ...

    def play(self, speech_id: SpeechId) -> Playback:
        """Start a stretch of speech; it sounds when those before it are finished and out, or cancelled."""
        ...

    def played(self, since: float) -> Frame:
        """Return what really sounded from ``since`` until now, silence included: the far end for echo cancelling.

        The frame may begin later than ``since`` where the speaker no longer remembers that far back.
        """
        ...


class Send(Protocol):
    """Send client events through the handlers, and own a middleware's background work."""

    async def __call__(self, event: Any) -> Any:
        """Run the client handlers on the event and send what they leave.

        Returns:
            The event as it was sent; None if a handler dropped it, and nothing was sent.

        Raises:
            ConnectionLost: the connection is gone.
        """
        ...

    def spawn(self, work: Any, *, name: str) -> Any:
        """Run a coroutine as a task that ends with the hooked connection; its failure ends ``keep_receiving``."""
        ...

    def by(self, name: str) -> Send:
        """Return the same ``send`` that marks what it sends with the name of the middleware that sent it."""
        ...

    def on_end(self, tell: Any) -> None:
        """Have a function called with a ``closing.Closing`` when the connection has ended: nothing more comes of it."""
        ...
