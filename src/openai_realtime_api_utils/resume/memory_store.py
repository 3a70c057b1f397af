"""Keep a conversation in memory: it outlives its connections, not its program."""

from __future__ import annotations

from collections.abc import Sequence

from ..state.stored import Record, Stored

_KEPT = 500
"""How many items are kept; the oldest are dropped."""


class MemoryStore:
    """Be the store of one conversation. Give the same one to ``resume`` again, and the conversation goes on."""

    def __init__(self) -> None:
        self._stored = Stored()

    async def load(self) -> Sequence[Record]:
        return [] if self._stored.is_empty else self._stored.records()

    async def append(self, records: Sequence[Record], /, *, is_turn_end: bool) -> None:
        for record in records:
            self._stored.add(record)
        self._stored.forget_oldest(_KEPT)

    async def close(self) -> None:
        """Keep everything: it is for the next one."""
