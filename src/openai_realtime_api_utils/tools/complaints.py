"""Keep what a program complains of, to tell why it ended."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Self, TextIO

from .failure import scrubbed

_KEPT = 2_000
"""How many characters of what a program last wrote to its standard error are kept."""

_logger = logging.getLogger(__name__)


class Complaints:
    """Keep the last of what a program writes to its standard error, and know when it has ended.

    A thread reads, for a program can be given nothing but a file.
    """

    def __init__(self) -> None:
        reading, writing = os.pipe()
        self.stream: TextIO = os.fdopen(writing, "w")
        self._kept = ""
        self._tell: Callable[[], object] = lambda: None
        threading.Thread(target=self._listen, args=(reading,), daemon=True, name="an MCP server's complaints").start()

    @property
    def last(self) -> str:
        """The last line, as a sentence to add; nothing if there was none."""
        lines = scrubbed(self._kept).strip().splitlines()
        return f" It wrote: {lines[-1][:200]}" if lines else ""

    def on_end(self, tell: Callable[[], object]) -> None:
        """Call a function, from a thread, when the program that was given the stream has closed it."""
        self._tell = tell
        self.stream.close()

    def _listen(self, reading: int) -> None:
        with os.fdopen(reading, errors="replace") as lines:
            for line in lines:
                _logger.debug("An MCP server wrote: %s", line.rstrip())
                self._kept = (self._kept + line)[-_KEPT:]
        self._tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
