"""Bring the sound of a microphone into a session's format as it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .formats import PCM_24K, AudioFormat
from .pcm import encode
from .resample import Resampler

if TYPE_CHECKING:
    from ..ports import Samples


class StreamEncoder:
    """Resample and encode a stream of sound, into PCM at 24 kHz until told otherwise."""

    def __init__(self, rate: int) -> None:
        """Make an encoder for sound that comes at ``rate`` samples per second."""
        self._format = PCM_24K
        self._resampler = Resampler(rate, PCM_24K.rate)

    @property
    def format(self) -> AudioFormat:
        """The format that is encoded into."""
        return self._format

    def use(self, audio_format: AudioFormat) -> None:
        """Encode into another format from now on."""
        if audio_format.rate != self._format.rate:
            self._resampler = Resampler(self._resampler.from_rate, audio_format.rate)
        self._format = audio_format

    def process(self, samples: Samples) -> bytes:
        """Return what is ready of the sound so far, which may be nothing."""
        return encode(self._resampler.process(samples), self._format)

    def finish(self) -> bytes:
        """Return the rest, and begin anew."""
        return encode(self._resampler.finish(), self._format)
