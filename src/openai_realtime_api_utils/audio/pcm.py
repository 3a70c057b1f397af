"""Turn samples into the bytes of an event, and back, in any of the session's formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import FormatError
from . import g711
from .formats import AudioFormat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..ports import Samples

_FULL_SCALE = 32_768
_PCM = np.dtype("<i2")
_IS_OURS = np.dtype(np.int16) == _PCM
"""Whether the session's order of bytes is the machine's."""


def encode(samples: Samples, audio_format: AudioFormat) -> bytes:
    """Return the samples as bytes; they must be at the format's rate already."""
    if audio_format.type == "audio/pcm":
        return samples.astype("<i2", copy=False).tobytes()
    return g711.encode(samples, audio_format.type)


def decode(data: bytes, audio_format: AudioFormat) -> Samples:
    """Return whole bytes as samples.

    Raises:
        FormatError: a PCM sample is cut in half. Where bytes come in pieces, use a ``Decoder``.
    """
    if len(data) % audio_format.bytes_per_sample:
        raise FormatError(
            f"{len(data)} bytes of {audio_format.type} end in half a sample: send whole samples of 2 bytes."
        )
    if audio_format.type == "audio/pcm":
        samples = np.frombuffer(data, _PCM)
        return samples if _IS_OURS else samples.astype(np.int16)
    return g711.decode(data, audio_format.type)


class Decoder:
    """Decode bytes that come in pieces; a sample cut in half waits for its other half."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self.format = audio_format
        self._is_ours = audio_format.type == "audio/pcm" and _IS_OURS
        self._half = b""

    def feed(self, data: bytes) -> Samples:
        """Return the samples that are whole by now."""
        if self._is_ours and not self._half and not len(data) % 2:
            return np.frombuffer(data, _PCM)
        data = self._half + data
        whole = len(data) - len(data) % self.format.bytes_per_sample
        self._half = data[whole:]
        return decode(data[:whole], self.format)


def to_float(samples: Samples) -> NDArray[np.float32]:
    """Return samples on the scale of -1 to 1, exactly."""
    return samples.astype(np.float32) / np.float32(_FULL_SCALE)


def to_int16(samples: NDArray[Any]) -> Samples:
    """Return samples on the scale of -1 to 1 as 16-bit ones; what is too loud is clipped, never wrapped round."""
    whole = np.rint(np.clip(samples, -1.0, 1.0) * _FULL_SCALE)
    return np.minimum(whole, _FULL_SCALE - 1).astype(np.int16)
