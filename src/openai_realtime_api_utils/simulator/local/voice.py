"""Speak what the assistant says: with the ``flite`` program where it is installed, else with espeak-ng."""

from __future__ import annotations

import importlib.util
import json
import shutil
from typing import TYPE_CHECKING

from ...clock import Clock
from ...errors import MissingExtraError, require
from .worker import Worker

if TYPE_CHECKING:
    from ...ports import Samples


class Voice:
    """Speak, from a process of its own that starts with the first sentence and stays warm."""

    def __init__(self, *, clock: Clock, flite: str | None = None) -> None:
        """Prepare to speak.

        Args:
            clock: stands still while the voice works, if it is one that jumps.
            flite: path of the ``flite`` program, ``""`` to do without it; None looks for it.

        Raises:
            MissingExtraError: neither ``flite`` nor espeak-ng is installed.
        """
        program = shutil.which("flite") or "" if flite is None else flite
        if not program and importlib.util.find_spec("espeakng_loader") is None:
            raise MissingExtraError("The local voice", "espeakng_loader", "local")
        self.name = "flite" if program else "espeak-ng"
        """What speaks."""
        self._worker = Worker(f"{__package__}.voice_worker", [program], name="voice", clock=clock)

    async def speak(self, text: str, *, voice: str, speed: float) -> Samples:
        """Return speech for ``text``: int16, mono, at ``engine.RATE``, and nothing for text without words.

        Raises:
            SimulatorError: it cannot be spoken.
        """
        np = require("numpy", extra="local", needed_by="The local voice")
        request = {"text": text, "voice": voice, "speed": speed}
        return np.frombuffer(await self._worker.ask(json.dumps(request).encode()), np.int16)

    async def close(self) -> None:
        """End the process."""
        await self._worker.close()
