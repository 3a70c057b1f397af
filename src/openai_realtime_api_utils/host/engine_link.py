"""Carry the little that an engine and a program tell each other in words: lines of JSON; an empty line only wakes."""

from __future__ import annotations

import json
import socket
from typing import Any

_ENOUGH = 1 << 16
"""Bytes that wait for a program that stands still; notices beyond this are dropped."""


class EngineLink:
    """Be the engine's end. Nothing ever waits."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._waiting = b""
        self.is_open = True
        """Whether the program is still there."""

    def wake(self) -> None:
        """Let the program look; if it has not come to that since the last times, once more is no use."""
        self._send(b"" if self._waiting else b"\n")

    def tell(self, **message: Any) -> None:
        """Send a message."""
        self._send(json.dumps(message).encode() + b"\n")

    def look(self) -> None:
        """See whether the program is still there."""
        try:
            self.is_open = self.is_open and self._end.recv(64) != b""
        except BlockingIOError:
            return
        except OSError:
            self.is_open = False

    def close(self) -> None:
        """Send what waits, if that can be at once, and hang up."""
        self._send(b"")
        self._end.close()

    def _send(self, data: bytes) -> None:
        if len(self._waiting) < _ENOUGH:
            self._waiting += data
        try:
            while self._waiting:
                self._waiting = self._waiting[self._end.send(self._waiting) :]
        except BlockingIOError:
            return
        except OSError:
            self.is_open = False


class Messages:
    """Read what an engine tells, from the program's end."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Return the messages that are complete."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [json.loads(line) for line in lines if line]
