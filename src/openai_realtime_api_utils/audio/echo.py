"""Take the loudspeaker's sound out of the microphone's, or close the microphone while it sounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ..errors import AudioError, require

if TYPE_CHECKING:
    from ..ports import Samples

FRAME_S = 0.01
"""Length of the frames that a canceller takes."""

AUDIBLE_DBFS = -70.0
"""A far end below this is silence: no echo of it is above the noise of a room."""


class EchoCanceller(Protocol):
    """Take the echo of the far end out of the near end. Frames of 10 ms, int16 at the rate it was made for.

    The far end is what the loudspeaker sounded, lined up with the microphone but for the delay through the room.
    """

    def process(self, near: Samples, far: Samples) -> Samples:
        """Return a frame of the microphone without echo; both frames, and what is returned, are of one length."""
        ...


CancellerFactory: TypeAlias = Callable[[int], EchoCanceller]
"""Makes a canceller for a rate in samples per second."""


class Aec3:
    """Be WebRTC's echo canceller (``pywebrtc-audio``). It finds the delay by itself.

    No gain control: it costs 15 dB of cancellation (measured). Adds 8 to 10 ms, with noise suppression 15.
    """

    def __init__(self, rate: int, *, noise_suppression: bool = False) -> None:
        """Make a canceller.

        Raises:
            MissingExtraError: ``pywebrtc-audio`` is not installed.
        """
        package: Any = require("pywebrtc_audio", extra="audio", needed_by="Echo cancellation")
        self._processor = package.AudioProcessor(
            sample_rate=rate,
            echo_cancellation=True,
            noise_suppression=noise_suppression,
            high_pass_filter=noise_suppression,
        )

    def process(self, near: Samples, far: Samples) -> Samples:
        return self._processor.process(near, far)


class HalfDuplex:
    """Hear nothing while the far end sounds, nor for a tail after it: the microphone is silence then."""

    def __init__(self, rate: int, tail_ms: int = 300) -> None:
        self._tail = rate * tail_ms // 1000
        self._closed_for = 0

    @property
    def is_closed(self) -> bool:
        """Whether the last frame was silenced."""
        return self._closed_for > 0

    def process(self, near: Samples, far: Samples) -> Samples:
        if _is_audible(far):
            self._closed_for = self._tail + len(near)
        else:
            self._closed_for = max(0, self._closed_for - len(near))
        return near * 0 if self.is_closed else near


class Cleaner:
    """Run a canceller on a microphone, and go on without it when it fails.

    Until a second of sound was ever played a canceller has not adapted; the microphone is closed while it sounds.
    A canceller that raises is given up for half duplex; ``fault`` then says so, once.
    """

    SETTLING_S = 1.0
    """Sound that a canceller needs to adapt (AEC3 reaches 15 dB in 0.5 s, measured)."""

    def __init__(self, rate: int, canceller: EchoCanceller) -> None:
        self.fault: str | None = None
        """Why the canceller was given up; None while it works."""
        self._rate = rate
        self._canceller = canceller
        self._gate = HalfDuplex(rate)
        self._settling = 0
        self.unsettle()

    @property
    def is_half_duplex(self) -> bool:
        """Whether the microphone is silent while the far end sounds, as chosen or for want of a canceller."""
        return isinstance(self._canceller, HalfDuplex)

    @property
    def is_settled(self) -> bool:
        """Whether enough sound was played for the canceller to have adapted."""
        return self._settling <= 0

    def unsettle(self) -> None:
        """Take that the canceller has to adapt anew: near and far end have moved against each other."""
        if not self.is_half_duplex:
            self._settling = round(self.SETTLING_S * self._rate)

    def process(self, near: Samples, far: Samples) -> Samples:
        """Return a frame of 10 ms without echo."""
        try:
            clean = self._canceller.process(near, far)
            if clean.shape != near.shape:
                raise AudioError(f"it returned {clean.shape} samples for {near.shape}")
        except Exception as error:  # noqa: BLE001 - a stranger's code, between the user and the conversation
            self.fault = f"{type(error).__name__}: {error}"
            self._canceller = HalfDuplex(self._rate)
            self._settling = 0
            return self._canceller.process(near, far)
        if self.is_settled:
            return clean
        if _is_audible(far):
            self._settling -= len(near)
        return self._gate.process(clean, far)


def _is_audible(far: Samples) -> bool:
    from .level import rms_dbfs  # loads numpy, which the names of this module must not

    return rms_dbfs(far) > AUDIBLE_DBFS
