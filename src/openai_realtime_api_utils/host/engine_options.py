"""Say how a sound engine is to run; sent to it where it runs in a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from .devices import DeviceChoice

Echo: TypeAlias = "Literal['aec3', 'half_duplex'] | Callable[[int], Any] | None"
"""How the loudspeaker is kept out of the microphone; a factory makes a canceller for a rate."""


@dataclass(frozen=True)
class EngineOptions:
    """Be what ``host_audio`` was asked for."""

    input: DeviceChoice = None
    output: DeviceChoice = None
    echo: Echo = "aec3"
    noise_suppression: bool = False
    local_vad: bool = True
    block_ms: float = 20 / 3
    """How much the loudspeaker takes at a time; 10 where that does not run clean.

    Blocks of 5 ms ran away from PulseAudio in 4 to 15 of 20 openings while another program recorded what sounded in
    blocks of 5 ms; blocks of 6 to 10 ms in none. Beside busy processes 6.7 ms ran dry once in 60 s, 6 ms 13 times.
    """
    is_patient: bool = False
    """Whether to wait for devices that are not there: an engine that takes over from one that died does."""

    def again(self) -> EngineOptions:
        """Return the options for an engine that takes over."""
        return replace(self, is_patient=True)
