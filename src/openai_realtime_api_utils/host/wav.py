"""Use WAV files as devices: one is heard as if spoken into a microphone, one takes what a loudspeaker sounded."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ..clock import Clock, SystemClock
from ..errors import require
from ..ports import Frame
from .pace import paced
from .tape_speaker import TapeSpeaker
from .wav_writer import WavWriter

if TYPE_CHECKING:
    from ..audio.tape import Piece

_REMEMBERED_S = 10.0
"""How far back a file's loudspeaker can tell what it sounded: for a far end, a second would do."""


class WavMicrophone:
    """Play a WAV file in as a microphone, paced in real time on a clock.

    The header is read at once, so that a bad file is told here; the sound is read a frame at a time as it is due.
    Each iteration over ``frames()`` plays the file from its beginning.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        rate: int = 24_000,
        frame_ms: int = 20,
        clock: Clock | None = None,
        lead_in_s: float = 0.0,
        then_silence: bool | float = True,
    ) -> None:
        """Make a microphone of a file of any rate, mono or not; it is resampled and mixed.

        Args:
            path: the file.
            rate: samples per second to deliver.
            frame_ms: length of the frames.
            clock: sets the pace; the machine's own by default.
            lead_in_s: silence before the sound, in seconds.
            then_silence: what follows the sound: True, silence without end (a server's turn detection needs sound to
                flow); False, nothing, the microphone ends; a number, so many seconds of silence.

        Raises:
            FormatError: the file cannot be used.
            MissingExtraError: numpy is not installed.
        """
        require("numpy", extra="audio", needed_by="WavMicrophone")
        from .wav_reader import WavReader

        WavReader(path).close()
        self.rate = rate
        self._path = path
        self._frame = rate * frame_ms // 1000
        self._clock = clock or SystemClock()
        self._lead_in = round(lead_in_s * rate)
        self._after = (math.inf if then_silence else 0) if isinstance(then_silence, bool) else then_silence * rate

    async def frames(self) -> AsyncIterator[Frame]:
        from .wav_reader import WavReader
        from .wav_sound import WavSound

        with WavReader(self._path) as reader:
            sound = WavSound(reader, self.rate, self._lead_in, self._after)
            async with aclosing(paced(lambda: sound.take(self._frame), self.rate, self._clock)) as frames:
                async for frame in frames:
                    yield frame


class WavSpeaker(TapeSpeaker):
    """Be a loudspeaker whose sound goes into a WAV file, as it sounds on a clock.

    The file begins with the first sound and ends with the last; the silence between is kept, and speech that was cut
    fades out where it was cut. It is a whole WAV at any moment; what has not sounded yet is not in it.
    """

    def __init__(self, path: str | Path, *, rate: int = 24_000, clock: Clock | None = None) -> None:
        """Make the file.

        Raises:
            FormatError: it cannot be written.
            MissingExtraError: numpy is not installed.
        """
        require("numpy", extra="audio", needed_by="WavSpeaker")
        self._writer: WavWriter | None = WavWriter(path, rate)
        self._first: int | None = None
        super().__init__(clock or SystemClock(), rate, keep_s=_REMEMBERED_S, on_sounded=self._write)

    def close(self) -> None:
        """Write what sounded until now and close the file; what sounds later is lost."""
        if self._writer is not None:
            try:
                self.come_to_present()
            finally:
                self._writer.close()
                self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, piece: Piece) -> None:
        if self._writer is None or piece.samples is None:
            return
        if self._first is None:
            self._first = piece.position
        self._writer.write_at(piece.position - self._first, piece.samples)
