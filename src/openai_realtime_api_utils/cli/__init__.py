"""Be the ``realtime`` command.

This file imports nothing of the command's own until Ctrl-C is in hand: starting up takes a moment, and a program that
is stopped in that moment should leave as quietly as in any other.
"""

from __future__ import annotations

import os
import signal
import sys

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the signal's number, as shells have it."""


def main() -> None:
    """Run the command named on the command line and exit with its code."""
    signal.signal(signal.SIGINT, _leave_at_once)
    try:
        from ..errors import MissingExtraError, require

        try:
            require("typer", extra="cli", needed_by="The realtime command")
            require("rich", extra="cli", needed_by="The realtime command")
        except MissingExtraError as missing:
            sys.exit(f"realtime: {missing}")
        from .app import run

        signal.signal(signal.SIGINT, signal.default_int_handler)
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    signal.signal(signal.SIGINT, _leave_at_once)
    sys.exit(code)


def _leave_at_once(*_: object) -> None:
    """End the process where nothing is open that would have to be closed: before the command runs, and after."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    os._exit(INTERRUPTED)
