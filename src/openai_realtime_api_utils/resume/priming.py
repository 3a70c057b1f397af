"""Give a new session what the old one held, and wait until it has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..clock import Clock
from ..errors import ConnectionLost
from ..state.restore import Restored, difference
from ..tasks import within
from .line import Line

_PATIENCE_S = 2.0
"""How long to wait for the next answer. A server that gives none is taken to have understood."""

_LONGEST_S = 15.0
"""How long to wait for all answers of a server that goes on to talk of something else."""


async def prime(line: Line, config: Mapping[str, Any], wanted: Sequence[Restored], clock: Clock) -> None:
    """Configure a new session and put the items in, all sent at once, and take the answers.

    What comes that is no answer is kept by the line.

    Raises:
        ConnectionLost: the connection ended.
    """
    planting = line.planting
    events = [planting.configure(config)] if config else []
    _, creations = difference([], wanted)
    for event in (*events, *planting.plant([], creations)):
        await line.send(event)
    until = clock.now() + _LONGEST_S
    while not (planting.is_settled and (line.is_announced or config)) and clock.now() < until and not line.is_full:
        try:
            await within(_PATIENCE_S, clock, line.arrival())
        except TimeoutError:
            break
        if not line.frames:
            raise line.end or ConnectionLost(1006)
        line.answer()
        for event in planting.out:
            await line.send(event)
        planting.out.clear()
