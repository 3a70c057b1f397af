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
    block_ms: int = 5
    """How much the loudspeaker takes at a time; 10 where 5 does not run clean."""
    is_patient: bool = False
    """Whether to wait for devices that are not there: an engine that takes over from one that died does."""

    def again(self) -> EngineOptions:
        """Return the options for an engine that takes over."""
        return replace(self, is_patient=True)
