"""Keep a conversation in a file of JSON lines that outlives the program, killed or not."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias, TypeVar, cast

from ..clock import Clock, SystemClock
from ..errors import RealtimeUtilsError
from ..state.stored import Record, Stored

T = TypeVar("T")

Fsync: TypeAlias = Literal["turn", "always", "never"]

_OWNER_ONLY = 0o600
_OWNER_ONLY_FOLDER = 0o700

_SPARE = 500
"""So many records that later ones replaced are kept before a file is written anew, which is done as it is loaded."""


class FileStore:
    """Be the store of one conversation: append-only, readable by its owner only, and open to one program at a time.

    What was appended survives a killed program; what was also synchronised survives a machine that loses power.
    """

    def __init__(self, path: str | Path, *, fsync: Fsync = "turn", clock: Clock | None = None) -> None:
        """Name the file; it is made when there is something to write.

        Args:
            path: the conversation's file. The same path in another program goes on with the conversation.
            fsync: when to wait for the disk itself: at the end of each ``"turn"``, ``"always"`` or ``"never"``.
            clock: stands still while the disk is waited for; the machine's own by default.

        Raises:
            ValueError: there is no such policy.
        """
        if fsync not in ("turn", "always", "never"):
            raise ValueError(f"{fsync!r} is no policy for fsync: give 'turn', 'always' or 'never'.")
        self.path = Path(path)
        self._fsync = fsync
        self._clock = clock or SystemClock()
        self._file: int | None = None

    async def load(self) -> Sequence[Record]:
        """Return all records. A last line that was not written to its end is passed over.

        Raises:
            RealtimeUtilsError: the file cannot be read or written, or another program has it open.
        """
        return await self._at_work(self._load)

    async def append(self, records: Sequence[Record], /, *, is_turn_end: bool) -> None:
        file = self._opened()
        os.write(file, _lines(records))  # into the machine's memory: no disk is waited for
        if self._fsync == "always" or (self._fsync == "turn" and is_turn_end):
            await self._at_work(lambda: os.fsync(file))

    async def close(self) -> None:
        """Let another program have the file."""
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)

    async def _at_work(self, work: Callable[[], T]) -> T:
        with self._clock.working():
            return await asyncio.to_thread(work)

    def _load(self) -> list[Record]:
        self._opened()
        data = self.path.read_bytes()
        lines = data.split(b"\n")
        records = [record for line in lines if (record := _record(line)) is not None]
        stored = Stored(records)
        fewest = [] if stored.is_empty else stored.records()
        if (data and not data.endswith(b"\n")) or len(records) - len(fewest) > _SPARE:
            self._write_anew(fewest)
            return fewest
        return records

    def _write_anew(self, records: Sequence[Record]) -> None:
        new = self.path.with_name(f".{self.path.name}.{os.getpid()}.new")
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY)
        try:
            os.write(file, _lines(records))
            os.fsync(file)
        finally:
            os.close(file)
        new.replace(self.path)
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._opened()

    def _opened(self) -> int:
        if self._file is None:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY_FOLDER)
                file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _OWNER_ONLY)
            except OSError as cause:
                raise RealtimeUtilsError(
                    f"The conversation cannot be kept in {self.path} ({cause.strerror}): choose another file."
                ) from cause
            try:
                self.path.chmod(_OWNER_ONLY)
                _lock(file, self.path)
            except BaseException:
                os.close(file)
                raise
            self._file = file
        return self._file


def _lock(file: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # a system without it
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as cause:
        raise RealtimeUtilsError(
            f"Another program holds the conversation in {path}: end it first, or choose another file."
        ) from cause


def _lines(records: Sequence[Record]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n" for record in records).encode()


def _record(line: bytes) -> Record | None:
    try:
        value: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return cast("Record", value) if isinstance(value, dict) else None
