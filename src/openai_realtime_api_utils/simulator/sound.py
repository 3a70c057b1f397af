"""Carry sound between a session's formats and the one rate of its engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..audio import pcm
from ..audio.formats import AudioFormat
from ..audio.resample import Resampler
from .engine import RATE

if TYPE_CHECKING:
    from ..ports import Samples


class Decoder:
    """Turn what a client appends into samples at ``RATE``."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self.format = audio_format
        self._bytes = pcm.Decoder(audio_format)
        self._resampler = Resampler(audio_format.rate, RATE)

    def feed(self, data: bytes) -> Samples:
        return self._resampler.process(self._bytes.feed(data))


class Encoder:
    """Turn an engine's speech into the bytes of one content part."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._resampler = Resampler(RATE, audio_format.rate)

    def encode(self, samples: Samples) -> bytes:
        return pcm.encode(self._resampler.process(samples), self._format)

    def finish(self) -> bytes:
        return pcm.encode(self._resampler.finish(), self._format)
