"""Write and read G.711, the telephone's 8-bit sound: mu-law and A-law.

Both directions are tables, built once from the recommendation's segments (ITU-T G.711): 65,536 entries to encode, 256
to decode. Bit for bit what the standard library's ``audioop`` gave before Python 3.13 dropped it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..ports import Samples

Law: TypeAlias = Literal["audio/pcmu", "audio/pcma"]
"""Mu-law and A-law, by the names of their session formats."""


def encode(samples: Samples, law: Law) -> bytes:
    """Return one byte for each sample."""
    return _encode_table(law)[samples.astype(np.int16, copy=False).view(np.uint16)].tobytes()


def decode(data: bytes, law: Law) -> Samples:
    """Return one sample for each byte."""
    return _decode_table(law)[np.frombuffer(data, np.uint8)]


@cache
def _encode_table(law: Law) -> NDArray[np.uint8]:
    every = np.arange(1 << 16).astype(np.uint16).view(np.int16).astype(np.int32)
    code = _mu_law(every >> 2) if law == "audio/pcmu" else _a_law(every >> 3)
    return code.astype(np.uint8)


def _mu_law(sample: NDArray[Any]) -> NDArray[Any]:
    """Encode 14-bit samples: sign, 3 bits of segment, 4 bits within it, all inverted."""
    magnitude = np.minimum(np.abs(sample) + 33, 0x1FFF)
    segment = _bits(magnitude) - 6
    code = segment << 4 | magnitude >> (segment + 1) & 0x0F
    return code ^ np.where(sample < 0, 0x7F, 0xFF)


def _a_law(sample: NDArray[Any]) -> NDArray[Any]:
    """Encode 13-bit samples: sign, 3 bits of segment, 4 bits within it, every other bit inverted."""
    magnitude = np.where(sample < 0, -sample - 1, sample)
    segment = np.maximum(_bits(magnitude) - 5, 0)
    code = segment << 4 | magnitude >> np.maximum(segment, 1) & 0x0F
    return code ^ np.where(sample < 0, 0x55, 0xD5)


def _bits(magnitude: NDArray[Any]) -> NDArray[Any]:
    """Return how many bits each number needs."""
    return np.frexp(magnitude.astype(np.float64))[1].astype(np.int32)


@cache
def _decode_table(law: Law) -> Samples:
    code = np.arange(256)
    if law == "audio/pcmu":
        code = ~code & 0xFF
        magnitude = ((code & 0x0F) << 3) + 0x84 << (code >> 4 & 7)
        return np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84).astype(np.int16)
    code = code ^ 0x55
    segment = code >> 4 & 7
    magnitude = ((code & 0x0F) << 4) + np.where(segment == 0, 8, 0x108) << np.maximum(segment - 1, 0)
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)
