"""Take a loudspeaker out of a microphone, for any pair that goes by one clock."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Any, cast

from ..errors import require
from ..ports import Frame, Microphone, Speaker

if TYPE_CHECKING:
    from ..audio.echo import EchoCanceller

_logger = logging.getLogger(__name__)

_RESET_S = 0.01
"""A microphone whose time jumps by more has lost sound; the far end is read anew from where it is."""


def cancel_echo(microphone: Microphone, speaker: Speaker, canceller: EchoCanceller) -> Microphone:
    """Return a microphone that does not hear the loudspeaker.

    While the loudspeaker sounds for the first second ever, the canceller adapts, and the microphone is silent. A
    canceller that raises is replaced by half duplex; that is told once.

    Args:
        microphone: hears the loudspeaker, delayed or not; its frames may be of any length.
        speaker: says what it sounded, by the same clock.
        canceller: was made for the microphone's rate.

    Raises:
        MissingExtraError: numpy is not installed.
    """
    return _CleanMicrophone("cancel_echo", microphone, speaker, canceller)


def half_duplex(microphone: Microphone, speaker: Speaker, tail_ms: int = 300) -> Microphone:
    """Return a microphone that is silent while the loudspeaker sounds, and for a tail after it.

    Raises:
        MissingExtraError: numpy is not installed.
    """
    require("numpy", extra="audio", needed_by="half_duplex")
    from ..audio.echo import HalfDuplex

    return _CleanMicrophone("half_duplex", microphone, speaker, HalfDuplex(microphone.rate, tail_ms))


class _CleanMicrophone:
    """Be a microphone behind a canceller."""

    def __init__(self, needed_by: str, microphone: Microphone, speaker: Speaker, canceller: EchoCanceller) -> None:
        require("numpy", extra="audio", needed_by=needed_by)
        self.rate = microphone.rate
        self._microphone = microphone
        self._speaker = speaker
        self._canceller = canceller

    async def frames(self) -> AsyncGenerator[Frame, None]:
        import numpy as np

        from ..audio.echo import Cleaner

        cleaner = Cleaner(self.rate, self._canceller)
        far_end = _FarEnd(self._speaker, self.rate)
        size, is_told = self.rate // 100, False
        rest = np.zeros(0, np.int16)
        frames = self._microphone.frames()
        async with AsyncExitStack() as stack:
            if hasattr(frames, "aclose"):
                await stack.enter_async_context(aclosing(cast("AsyncGenerator[Frame]", frames)))
            async for frame in frames:
                start = frame.time - len(rest) / self.rate
                sound = np.concatenate((rest, frame.samples))
                whole = len(sound) // size * size
                rest = sound[whole:]
                clean = [
                    cleaner.process(sound[n : n + size], far_end.read(start + n / self.rate, size))
                    for n in range(0, whole, size)
                ]
                if cleaner.fault is not None and not is_told:
                    is_told = True
                    _logger.warning(
                        "The echo canceller failed (%s); from here on the microphone is silent while the loudspeaker "
                        "sounds (half duplex).",
                        cleaner.fault,
                    )
                if clean or frame.lost:
                    yield Frame(np.concatenate([*clean, sound[:0]]), start, frame.lost)


class _FarEnd:
    """Read what a loudspeaker sounded as one stream, at the microphone's rate."""

    def __init__(self, speaker: Speaker, rate: int) -> None:
        from ..audio.resample import Resampler

        self._speaker = speaker
        self._rate = rate
        self._resampler = Resampler(speaker.rate, rate)
        self._read_to: float | None = None
        self._ready: Any = None

    def read(self, t: float, size: int) -> Any:
        """Return ``size`` samples of what sounded from ``t`` on; what is not known is silence."""
        import numpy as np

        if self._read_to is None or abs(t - (self._read_to - len(self._ready) / self._rate)) > _RESET_S:
            self._read_to, self._ready = t, np.zeros(0, np.int16)
        sounded = self._speaker.played(self._read_to)
        skipped = round((sounded.time - self._read_to) * self._speaker.rate)
        fresh = np.concatenate((np.zeros(max(0, skipped), np.int16), sounded.samples))
        self._read_to += len(fresh) / self._speaker.rate
        self._ready = np.concatenate((self._ready, self._resampler.process(fresh)))
        far, self._ready = self._ready[:size], self._ready[size:]
        return np.concatenate((far, np.zeros(size - len(far), np.int16)))
