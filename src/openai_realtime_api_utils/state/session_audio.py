"""Read how a session, or a response, encodes its sound."""

from __future__ import annotations

from typing import Literal

from ..audio.formats import AudioFormat, format_of
from .reading import read


def format_in(source: object, direction: Literal["input", "output"]) -> AudioFormat:
    """Return the sound format that a session or a response states for a direction; the default if it states none.

    Raises:
        FormatError: it is none of the API's.
    """
    return format_of(read(read(read(source, "audio"), direction), "format"))


def leaves_format_open(source: object) -> bool:
    """Say whether a session speaks of its output, but not of how that is encoded, as no session of the API's does."""
    output = read(read(source, "audio"), "output")
    return output is not None and read(output, "format") is None
