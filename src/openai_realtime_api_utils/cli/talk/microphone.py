"""Put a question asked from a file where it belongs in the conversation: when it is the user's turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ...clock import Clock
from ...ports import Frame

if TYPE_CHECKING:
    from ...host.wav import WavMicrophone

_SILENCE_S = 0.02


class PatientMicrophone:
    """Be silent until it is one's turn, then a recording, then silent again: sound always flows."""

    def __init__(self, recording: WavMicrophone, clock: Clock) -> None:
        self.rate = recording.rate
        self.may_speak = asyncio.Event()
        self.has_spoken = asyncio.Event()
        self._recording = recording
        self._clock = clock

    async def frames(self) -> AsyncIterator[Frame]:
        async for frame in self._silence(until=self.may_speak):
            yield frame
        async for frame in self._recording.frames():
            yield frame
        self.has_spoken.set()
        async for frame in self._silence(until=asyncio.Event()):
            yield frame

    async def _silence(self, until: asyncio.Event) -> AsyncIterator[Frame]:
        import numpy as np

        silence = np.zeros(round(self.rate * _SILENCE_S), np.int16)
        due = self._clock.now()
        while not until.is_set():
            yield Frame(silence, due)
            due += _SILENCE_S
            await self._clock.sleep_until(due)
