"""Tell a conversation to a program: one JSON object per line."""

from __future__ import annotations

import json
from typing import TextIO

from ...clock import Clock
from .moments import Level, Moment, as_json


class JsonLines:
    """Write every moment as it happens, but the microphone's level, which changes all the time."""

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._start = clock.now()

    def __call__(self, moment: Moment) -> None:
        if isinstance(moment, Level):
            return
        line = as_json(moment, self._clock.now() - self._start)
        self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._stream.flush()

    def start(self) -> None:
        """Need nothing."""

    def stop(self) -> None:
        """Leave the stream open: it is the caller's."""
