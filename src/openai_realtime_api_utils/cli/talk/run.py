"""Run one conversation: on the machine's clock, or on one that jumps."""

from __future__ import annotations

import asyncio
import sys

from ...clock import ManualClock, SystemClock
from ...host import fast_forward
from .json_lines import JsonLines
from .options import TalkOptions
from .program import talk
from .screen import Screen


def run_talk(options: TalkOptions, *, as_json: bool) -> None:
    """Hold the conversation and show it.

    Raises:
        RealtimeUtilsError: it could not begin, or could not go on.
    """
    clock = ManualClock() if options.fast else SystemClock()
    tell = JsonLines(sys.stdout, clock) if as_json else Screen()
    try:  # Ctrl-C may come while the screen is being set up, too
        tell.start()
        conversation = talk(options, clock, tell)
        if isinstance(clock, ManualClock):
            fast_forward.run(conversation, clock)
        else:
            asyncio.run(conversation)
    finally:
        tell.stop()
