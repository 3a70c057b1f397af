"""Check the images that clients send, and estimate their tokens."""

from __future__ import annotations

import binascii
import struct
from typing import Any

import pybase64

from .checks import text
from .refusals import Refusal

_KINDS = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/jpg;base64,")
_BASE, _TILE = 85, 170
"""Tokens of any image, and of each tile of 512 pixels where the detail is high: those of the 4o models, since
nothing is published for these."""
_HEAD = 400_000
"""Characters of an image in which its size is looked for; whole groups of base64."""
_LONG_SIDE, _SHORT_SIDE, _TILE_SIDE = 2048, 768, 512


def checked_image(value: Any, path: str) -> str:
    """Accept a PNG or JPEG in a data URI (API reference).

    Raises:
        Refusal: it is something else.
    """
    url = text(value, path)
    if not url.startswith(_KINDS):
        raise Refusal(
            f"Invalid '{path}'. Expected a base64-encoded data URI with an image MIME type "
            "(e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got another value.",
            code="invalid_value",
            param=path,
        )
    try:
        pybase64.b64decode(url.partition(",")[2], validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(f"Invalid '{path}'. The image is not valid base64.", code="invalid_value", param=path) from None
    return url


def image_tokens(url: str, detail: str) -> int:
    """Estimate what an image costs; where its size cannot be read, as one tile."""
    if detail == "low":
        return _BASE
    width, height = _size(url)
    shrunk = min(1.0, _LONG_SIDE / max(width, height))
    shrunk = min(shrunk, _SHORT_SIDE / min(width, height))
    tiles = _tiles(width * shrunk) * _tiles(height * shrunk)
    return _BASE + _TILE * tiles


def _tiles(side: float) -> int:
    return max(1, -int(-side // _TILE_SIDE))


def _size(url: str) -> tuple[int, int]:
    data = pybase64.b64decode(url.partition(",")[2][:_HEAD])
    size = _png_size(data) if data.startswith(b"\x89PNG") else _jpeg_size(data)
    return size if size is not None and min(size) > 0 else (_TILE_SIDE, _TILE_SIDE)


def _png_size(data: bytes) -> tuple[int, int] | None:
    if len(data) < 24:
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Go from marker to marker until the one that begins a frame, which states the size."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
