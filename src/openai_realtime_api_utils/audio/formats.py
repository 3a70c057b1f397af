"""Name the three sound formats that a Realtime session speaks, and what their bytes mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from ..errors import FormatError

FormatType: TypeAlias = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]


@dataclass(frozen=True)
class AudioFormat:
    """Say how sound is written into events."""

    type: FormatType
    rate: int
    """Samples per second: 24,000 for PCM, 8,000 for G.711 (the API reference knows no other)."""
    bytes_per_sample: int

    def samples_in(self, n_bytes: int) -> int:
        """Return how many whole samples ``n_bytes`` hold."""
        return n_bytes // self.bytes_per_sample

    def as_config(self) -> dict[str, Any]:
        """Return the format as a session's config states it; G.711 has no ``rate`` there."""
        return {"type": self.type, "rate": self.rate} if self.type == "audio/pcm" else {"type": self.type}


PCM_24K = AudioFormat("audio/pcm", 24_000, 2)
"""16-bit signed little-endian mono at 24 kHz: the default in both directions."""
PCMU = AudioFormat("audio/pcmu", 8_000, 1)
"""G.711 mu-law."""
PCMA = AudioFormat("audio/pcma", 8_000, 1)
"""G.711 A-law."""

_BY_TYPE: dict[str, AudioFormat] = {f.type: f for f in (PCM_24K, PCMU, PCMA)}


def format_of(config: object) -> AudioFormat:
    """Read a session's ``format``: a mapping, an SDK model, or None for the default.

    Raises:
        FormatError: it is none of the three.
    """
    if config is None:
        return PCM_24K
    if isinstance(config, Mapping):
        config = cast("Mapping[str, Any]", config)
        name, rate = config.get("type"), config.get("rate")
    else:
        name, rate = getattr(config, "type", None), getattr(config, "rate", None)
    found = _BY_TYPE.get(str(name))
    if found is None:
        raise FormatError(f"The sound format {name!r} is not one of {', '.join(_BY_TYPE)}: set one of these.")
    if rate is not None and rate != found.rate:
        raise FormatError(f"{found.type} at {rate} Hz is not a format of the API: it speaks {found.rate} Hz only.")
    return found
