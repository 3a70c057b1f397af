"""Write WAV files that are whole at any moment."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ..errors import AudioError, FormatError

if TYPE_CHECKING:
    from ..ports import Samples

_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_LARGEST = 0xFFFF_FFFF
"""What a size in a WAV header can say: at 24 kHz, a day."""


class WavWriter:
    """Write mono 16-bit sound; the file is a whole WAV after every write.

    Writes go to the system's cache, some 10 microseconds each. What lies between two distant writes is silence and
    costs no disk where the file system knows holes.
    """

    def __init__(self, path: str | Path, rate: int) -> None:
        """Make the file, empty of sound.

        Raises:
            FormatError: it cannot be written.
        """
        self.path = Path(path)
        self.rate = rate
        self.length = 0
        """Samples in the file."""
        try:
            self._file = self.path.open("wb", buffering=0)
        except OSError as error:
            raise FormatError(f"{path} cannot be written ({error.strerror}): give another path.") from error
        self._write_header()

    def write(self, samples: Samples) -> None:
        """Put sound at the end."""
        self.write_at(self.length, samples)

    def write_at(self, position: int, samples: Samples) -> None:
        """Put sound at a position, in samples from the start, silence before it.

        Raises:
            AudioError: the disk refuses.
        """
        try:
            self._file.seek(_HEADER.size + 2 * position)
            self._file.write(samples.astype("<i2", copy=False).tobytes())
            self.length = max(self.length, position + len(samples))
            self._write_header()
        except OSError as error:
            raise AudioError(f"{self.path} could not be written on ({error.strerror}).") from error

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write_header(self) -> None:
        size = min(2 * self.length, _LARGEST - _HEADER.size)
        riff = (b"RIFF", _HEADER.size - 8 + size, b"WAVE")
        layout = (b"fmt ", 16, 1, 1, self.rate, 2 * self.rate, 2, 16)
        self._file.seek(0)
        self._file.write(_HEADER.pack(*riff, *layout, b"data", size))
