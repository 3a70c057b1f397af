"""Say what the engine needs of the machine's sound system, so that it runs on a sound card and in a test alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..audio.anchor import Stamp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..audio.ring import Ring
    from .devices import DeviceChoice


class Stream(Protocol):
    """Be one direction of sound. Never used from two threads at once."""

    @property
    def rate(self) -> int: ...

    @property
    def frames(self) -> int:
        """How many samples went through since it was opened."""
        ...

    @property
    def is_alive(self) -> bool:
        """Whether it runs as far as the sound system knows; one that stands still may not know."""
        ...

    @property
    def runs(self) -> int:
        """How many underruns (of a loudspeaker) or overruns (of a microphone) there were."""
        ...

    def probe(self) -> None:
        """Begin to measure when one sample is at the converter; nothing while a measurement is under way."""
        ...

    def stamp(self) -> Stamp | None:
        """Return what was measured, once; None while there is nothing."""
        ...

    def close(self) -> None: ...


class OutputStream(Stream, Protocol):
    """Sound a tape, from a position on, at the pace of the device."""

    @property
    def block(self) -> int:
        """How many samples it takes at a time."""
        ...

    def extend(self, n: int) -> None:
        """Let it take ``n`` samples more of the tape. It must never come to the end of what it may take."""
        ...


class InputStream(Stream, Protocol):
    """Record."""

    def read(self) -> NDArray[np.float32]:
        """Return all that was recorded since the last time, mono, on the scale of -1 to 1."""
        ...


class Streams(NamedTuple):
    """Be a loudspeaker and a microphone that run, and what they are called."""

    output: OutputStream
    input: InputStream
    output_name: str
    input_name: str


class Backend(Protocol):
    """Open devices."""

    def open(
        self,
        *,
        output: DeviceChoice,
        input: DeviceChoice,  # noqa: A002 - the public word for it
        tape: Ring,
        position: int,
        block_ms: float,
        rate: int | None = None,
    ) -> Streams:
        """Open a loudspeaker that sounds ``tape`` from ``position`` on, and a microphone.

        It may take half of the tape at once; ``extend`` gives it more. A ``rate`` is the only one for the loudspeaker;
        without it, what it can do best.

        Raises:
            DeviceError: that cannot be.
        """
        ...

    def look_again(self) -> None:
        """Forget which devices there are; they are looked for at the next opening. No stream may be open."""
        ...
