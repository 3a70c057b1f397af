"""Give each of the API's voices a sound of its own, the same in every session."""

from __future__ import annotations

import zlib
from typing import NamedTuple


class Timbre(NamedTuple):
    """Say how the two synthesizers sound like a voice."""

    flite: str
    """A voice inside the ``flite`` program."""
    flite_shift: float
    """Factor on its pitch and on the size of its throat."""
    espeak: str
    """A voice of espeak-ng, with one of the variants that the local listener understands best."""
    espeak_pitch: int
    """0 to 100; 50 is the voice's own."""


TIMBRES = {
    "marin": Timbre("slt", 1.0, "en-us+f2", 50),
    "alloy": Timbre("slt", 0.92, "en-us+f2", 40),
    "coral": Timbre("slt", 1.06, "en-us+f2", 60),
    "sage": Timbre("slt", 0.96, "en-us+f5", 45),
    "shimmer": Timbre("slt", 1.1, "en-us+f5", 60),
    "cedar": Timbre("rms", 1.0, "en-us+m6", 50),
    "ash": Timbre("rms", 1.05, "en-us+m6", 60),
    "ballad": Timbre("rms", 1.1, "en-us+m6", 70),
    "echo": Timbre("rms", 0.96, "en-us+m6", 40),
    "verse": Timbre("rms", 0.92, "en-us+m6", 30),
}
"""The voices that the API reference names."""


def timbre_of(voice: str) -> Timbre:
    """Return the sound of a voice; a name of the user's own gets one of those above, always the same."""
    known = list(TIMBRES.values())
    return TIMBRES.get(voice) or known[zlib.crc32(voice.encode()) % len(known)]
