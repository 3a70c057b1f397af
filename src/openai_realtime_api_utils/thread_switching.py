"""Have the interpreter switch threads more often for as long as somebody needs it; then as it was."""

from __future__ import annotations

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager


class ThreadSwitching:
    """Keep the switch interval at the least that anybody asks for, in whatever order they come and go."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: list[float] = []
        self._before = 0.0

    @contextmanager
    def at_most(self, seconds: float) -> Generator[None]:
        """Keep the interval at ``seconds`` or below for the length of a block."""
        with self._lock:
            if not self._asked:
                self._before = sys.getswitchinterval()
            self._asked.append(seconds)
            self._set()
        try:
            yield
        finally:
            with self._lock:
                self._asked.remove(seconds)
                self._set()

    def _set(self) -> None:
        sys.setswitchinterval(min([*self._asked, self._before]))


thread_switching = ThreadSwitching()  # the interval is the interpreter's own, and there is one interpreter
