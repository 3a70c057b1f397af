"""Hear through a sound engine, whose microphone is cleaned of the loudspeaker's echo."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import numpy as np

from ..errors import AudioError
from ..ports import Frame
from .sound_memory import RATE, RECORD, SoundMemory

_LONGEST = 10
"""Records in one frame at most, 100 ms: what piled up while the program was busy comes in few frames."""


class HostMicrophone:
    """Be the microphone of a sound engine: frames of whole multiples of 10 ms, from when it is iterated over."""

    def __init__(self, memory: SoundMemory, attach: Callable[[], None] = lambda: None) -> None:
        """Use the memory of an engine; ``attach`` is called where an event loop runs that can call ``wake``."""
        self.rate = RATE
        self.lost = 0
        """How many samples went missing before they were read, here or in the device."""
        self._memory = memory
        self._attach = attach
        self._came = asyncio.Event()
        self._failure: AudioError | None = None
        self._is_over = False

    async def frames(self) -> AsyncGenerator[Frame, None]:
        self._attach()
        following = self._memory.header.records
        while True:
            while following < self._memory.header.records:
                frame, following = self._frame(following)
                if frame is not None:
                    self.lost += frame.lost
                    yield frame
            if self._failure is not None:
                raise self._failure
            if self._is_over:
                return
            self._came.clear()
            await self._came.wait()

    def wake(self) -> None:
        """Tell that more has come."""
        self._came.set()

    def end(self, failure: AudioError | None = None) -> None:
        """End the iteration, with an error if there is one."""
        self._is_over = True
        self._failure = failure
        self._came.set()

    def _frame(self, following: int) -> tuple[Frame | None, int]:
        """Return a frame of what has come, and the number of the record after it."""
        first = self._memory.record(following)
        skipped = 0
        while first is None:  # the program stood still for 10 s
            skipped += 1
            following += 1
            if following >= self._memory.header.records:
                return None, following
            first = self._memory.record(following)
        parts = [first.samples]
        following += 1
        while following < self._memory.header.records and len(parts) < _LONGEST:
            record = self._memory.record(following)
            if record is None or record.lost:
                break
            parts.append(record.samples)
            following += 1
        return Frame(np.concatenate(parts), first.time, first.lost + skipped * RECORD), following
