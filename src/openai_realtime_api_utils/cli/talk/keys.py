"""Read single keys from the terminal, without the return key and without a thread."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from ..saying import CommandError


@contextmanager
def keys(on_key: Callable[[str], object]) -> Generator[None]:
    """Call ``on_key`` with each key pressed; Ctrl-C stays what it is. The terminal is restored at the end.

    Raises:
        CommandError: there is no terminal to read from, or it cannot be read so.
    """
    if not sys.stdin.isatty():
        raise CommandError("--push-to-talk reads the space key, but standard input is not a terminal.")
    try:
        import termios
        import tty
    except ImportError as error:
        raise CommandError("--push-to-talk needs a Unix terminal.") from error

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    loop = asyncio.get_running_loop()
    tty.setcbreak(terminal)
    loop.add_reader(terminal, lambda: on_key(os.read(terminal, 32).decode(errors="replace")))
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
