"""Lay out the memory that a sound engine and the program share, in one process or two.

Each field has one writer, and fields are read and written whole; so neither side ever waits for the other.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import tempfile
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..audio.ring import Ring

if TYPE_CHECKING:
    from ..ports import Samples

RATE = 24_000
"""Samples per second of the cleaned microphone, and of what a loudspeaker takes."""
RECORD = RATE // 100
"""Samples of one record of the microphone: 10 ms, what an echo canceller takes."""

_TAPE = 1 << 20
"""Samples of the tape: 43.7 s at 24 kHz, 21.8 s at 48 kHz. Half lies ahead of the present, half is the past."""
_RECORDS = 1024
"""Records of the microphone that are kept: 10.2 s, for a program that stalls."""
_HEADER_SIZE = 4096
_RECORD_TYPE = np.dtype([("time", "f8"), ("lost", "i8"), ("samples", "i2", (RECORD,))])
SIZE = _HEADER_SIZE + _TAPE * 4 + _RECORDS * _RECORD_TYPE.itemsize


class Header(ctypes.Structure):
    """Say where on the tape the present is, and what the two sides have to tell each other. Times are monotonic."""

    # Written by the engine:
    zero_time: float
    """When position 0 of the tape was at the converter, or would have been at today's rate."""
    head: int
    """The first position that the device has not taken."""
    head_time: float
    """When ``head`` was looked at."""
    step_time: float
    """When the engine did anything the last time."""
    rate: int
    """Samples per second of the tape: the device's."""
    block: int
    """How many samples the device takes at a time."""
    layouts: int
    """How often the rate changed, and with it what all that is laid ahead means."""
    is_running: int
    records: int
    """How many records of the microphone there were in all."""
    talk_changes: int
    """How often the user began or ceased to talk; odd while talking."""
    holds: int
    """How often the engine silenced the tape by itself because the user talked."""
    held_at: int
    """From where on it did so the last time."""
    underruns: int
    overruns: int
    jumps: int
    resets: int
    slips: int
    reopenings: int
    is_settled: int
    is_half_duplex: int
    mic_jumps: int
    # Written by the program:
    written: int
    """Where what is laid on the tape ends."""
    may_hold: int
    """Whether the engine may silence the tape when the user talks."""
    releases: int
    """How many of the ``holds`` the program has taken over."""

    _fields_ = [
        (name, ctypes.c_double if name.endswith("_time") else ctypes.c_int64)
        for name in (
            "zero_time", "head", "head_time", "step_time", "rate", "block", "layouts", "is_running", "records",
            "talk_changes", "holds", "held_at", "underruns", "overruns", "jumps", "resets", "slips", "reopenings",
            "is_settled",
            "is_half_duplex", "mic_jumps", "written", "may_hold", "releases",
        )
    ]  # fmt: skip


class Record(NamedTuple):
    """Be 10 ms of the cleaned microphone."""

    time: float
    lost: int
    samples: Samples


class SoundMemory:
    """Be the header, the tape and the microphone's records, on any memory of ``SIZE`` bytes, zero at first."""

    def __init__(self, buffer: Any) -> None:
        self.header = Header.from_buffer(buffer)
        self.tape = Ring(np.frombuffer(buffer, np.float32, _TAPE, _HEADER_SIZE))
        records: Any = np.frombuffer(buffer, _RECORD_TYPE, _RECORDS, _HEADER_SIZE + _TAPE * 4)
        self._times, self._lost, self._samples = (records[name] for name in ("time", "lost", "samples"))

    def put_record(self, time: float, lost: int, samples: Samples) -> None:
        """Add 10 ms of the microphone; the oldest give way."""
        at = self.header.records % _RECORDS
        self._times[at], self._lost[at], self._samples[at] = time, lost, samples
        self.header.records += 1

    def record(self, number: int) -> Record | None:
        """Return a record; None if it has been overwritten, or will be any moment."""
        if number <= self.header.records - _RECORDS + 8:
            return None
        at = number % _RECORDS
        return Record(float(self._times[at]), int(self._lost[at]), self._samples[at].copy())


class Shared:
    """Be memory that another process can open by its ``handle``.

    On Windows, memory has a name; elsewhere it is a file without one, whose descriptor is inherited.
    """

    def __init__(self) -> None:
        self._file = -1
        if sys.platform == "win32":
            self.handle: int | str = f"openai-realtime-sound-{os.getpid()}-{id(self)}"
        else:
            self.handle = self._file = _nameless_file()
        self.buffer = opened(self.handle)

    @property
    def inherited(self) -> tuple[int, ...]:
        """The descriptors that the other process must inherit."""
        return () if self._file < 0 else (self._file,)

    def close(self) -> None:
        """Give up the descriptor; the memory goes when nobody uses it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def opened(handle: int | str) -> mmap.mmap:
    """Open the memory behind a handle."""
    if isinstance(handle, str):
        return mmap.mmap(-1, SIZE, tagname=handle)  # pyright: ignore[reportCallIssue] - Windows has it
    return mmap.mmap(handle, SIZE)


def _nameless_file() -> int:
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("realtime-sound")
    else:  # macOS
        with tempfile.TemporaryFile() as temporary:
            file = os.dup(temporary.fileno())
    os.truncate(file, SIZE)
    return file
