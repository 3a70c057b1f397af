"""Keep a conversation in Redis, so that another machine can go on with it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from ..clock import Clock, SystemClock
from ..errors import require
from ..state.stored import Record, Stored

_FIELD = b"record"

_SPARE = 500
"""So many records that later ones replaced are kept before a stream is written anew, which is done as it is loaded."""


class RedisStore:
    """Be the store of one conversation: a stream of records that expires when nobody has spoken for a while.

    Who may read it is for the Redis server to say.
    """

    def __init__(
        self,
        url: str,
        conversation_id: str,
        *,
        expire_s: int = 7 * 24 * 3600,
        prefix: str = "realtime:",
        clock: Clock | None = None,
    ) -> None:
        """Name the server and the conversation.

        Args:
            url: ``redis://``, ``rediss://`` or ``unix://``, as the package ``redis`` takes it.
            conversation_id: the same in another program goes on with the conversation.
            expire_s: after how many seconds without a word it is forgotten.
            prefix: what the stream's key begins with.
            clock: stands still while the server is waited for; the machine's own by default.

        Raises:
            MissingExtraError: the package ``redis`` is not installed.
            ValueError: ``expire_s`` is not above 0.
        """
        if not expire_s > 0:
            raise ValueError(f"expire_s is {expire_s}, but a conversation lives for more than 0 seconds.")
        self.key = f"{prefix}{conversation_id}"
        """The stream's key."""
        self._expire_s = expire_s
        self._clock = clock or SystemClock()
        self._client: Any = require("redis.asyncio", extra="redis", needed_by="RedisStore").from_url(url)

    async def load(self) -> Sequence[Record]:
        with self._clock.working():
            entries = await self._client.xrange(self.key)
        records = [record for _, fields in entries if (record := _record(fields.get(_FIELD))) is not None]
        stored = Stored(records)
        fewest = [] if stored.is_empty else stored.records()
        if len(records) - len(fewest) <= _SPARE:
            return records
        await self._write(fewest, anew=True)
        return fewest

    async def append(self, records: Sequence[Record], /, *, is_turn_end: bool) -> None:
        await self._write(records, anew=False)

    async def close(self) -> None:
        """Let go of the connections; they are made again when needed."""
        await self._client.aclose()

    async def _write(self, records: Sequence[Record], *, anew: bool) -> None:
        with self._clock.working():
            async with self._client.pipeline(transaction=True) as pipeline:
                if anew:
                    pipeline.delete(self.key)
                for record in records:
                    pipeline.xadd(self.key, {_FIELD: json.dumps(record, ensure_ascii=False, separators=(",", ":"))})
                pipeline.expire(self.key, self._expire_s)
                await pipeline.execute()


def _record(data: Any) -> Record | None:
    try:
        value: Any = json.loads(data)
    except (TypeError, ValueError, RecursionError):
        return None
    return cast("Record", value) if isinstance(value, dict) else None
