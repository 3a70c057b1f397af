"""Decode the sound of a delta from base64 once, for all the handlers that need it."""

from __future__ import annotations

from typing import Any

import pybase64

from ..handlers import Metadata, MetadataKey
from ..state.reading import read_text

_DELTA_BYTES: MetadataKey[bytes] = MetadataKey("delta_bytes")


def delta_bytes(event: Any, metadata: Metadata) -> bytes:
    """Return the bytes of an audio delta, as the session encodes its sound.

    Raises:
        ValueError: they are not base64.
    """
    data: bytes | None = metadata.get(_DELTA_BYTES)
    if data is None:
        data = pybase64.b64decode(read_text(event, "delta") or "", validate=True)
        metadata[_DELTA_BYTES] = data
    return data
