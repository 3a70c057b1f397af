"""Keep the last seconds of the assistant's sound, and no more."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from ..audio.formats import AudioFormat


class _Chunk(NamedTuple):
    item_id: str
    data: bytes
    seconds: float


class KeptAudio:
    """Be a queue of sound that loses the oldest above ``seconds``; nothing is kept where that is 0."""

    def __init__(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError(f"keep_audio_s is {seconds}, but sound lasts 0 seconds or longer.")
        self._limit = seconds
        self._chunks: deque[_Chunk] = deque()
        self._seconds = 0.0

    def add(self, item_id: str, data: bytes, audio_format: AudioFormat) -> None:
        """Add sound of an item, encoded in ``audio_format``; the oldest leaves."""
        chunk = _Chunk(item_id, data, audio_format.samples_in(len(data)) / audio_format.rate)
        self._chunks.append(chunk)
        self._seconds += chunk.seconds
        while self._chunks and self._seconds > self._limit:
            self._seconds -= self._chunks.popleft().seconds

    def of(self, item_id: str) -> bytes:
        """Return what is kept of an item's sound, as it was encoded."""
        return b"".join(chunk.data for chunk in self._chunks if chunk.item_id == item_id)
