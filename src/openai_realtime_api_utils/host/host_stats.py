"""Count what happens to sound devices."""

from __future__ import annotations

from typing import NamedTuple


class HostStats(NamedTuple):
    """Count what happened to the devices."""

    output: str
    input: str
    """What the devices are called."""
    rate: int
    """The loudspeaker's own, in samples per second."""
    echo: str
    """``"aec3"``, ``"half_duplex"``, ``"none"``, or ``"custom"``."""
    is_settled: bool
    """Whether the canceller has adapted; until then the microphone is silent while the loudspeaker sounds."""
    is_running: bool
    underruns: int
    overruns: int
    jumps: int
    """How often the loudspeaker's or the microphone's time was found to have jumped, and set right."""
    slips: int
    """How many single samples the far end was moved by, to follow the skew of two clocks."""
    resets: int
    reopenings: int
    restarts: int
    """How often the engine died and was started again."""
    lost: int
    """Samples of the microphone that went missing."""
