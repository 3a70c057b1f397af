"""Deliver blocks of sound at the pace of a clock, as a microphone would."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING

from ..clock import Clock
from ..ports import Frame

if TYPE_CHECKING:
    from ..ports import Samples


async def paced(next_block: Callable[[], Samples | None], rate: int, clock: Clock) -> AsyncGenerator[Frame, None]:
    """Yield each block when its last sample is due, until there is None.

    Times are counted from the start, so that waits that are a little late never add up.
    """
    start, position = clock.now(), 0
    while (block := next_block()) is not None:
        due = start + (position + len(block)) / rate
        await clock.sleep_until(due)
        yield Frame(block, start + position / rate)
        position += len(block)
