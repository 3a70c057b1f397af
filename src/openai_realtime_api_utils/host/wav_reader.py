"""Read WAV files. The standard library's ``wave`` cannot read float or extensible ones."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, Self

import numpy as np

from ..audio.pcm import to_int16
from ..audio.resample import resample
from ..errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..ports import Samples

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_KINDS = {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}
_MEND = "convert it with  ffmpeg -i FILE -c:a pcm_s16le -f wav OUT.wav"


class _Layout(NamedTuple):
    """Say how a file's samples lie."""

    kind: int
    channels: int
    rate: int
    bits: int


class WavReader:
    """Read a WAV file as mono 16-bit sound: any rate, any number of channels, 8 to 32-bit integers, floats.

    A file that was cut short gives what is there.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a file and read its header.

        Raises:
            FormatError: it is missing, unreadable, no WAV, of an unusual kind, or empty.
        """
        self.path = Path(path)
        try:
            self._file = self.path.open("rb")
        except FileNotFoundError as error:
            raise FormatError(f"There is no file {path}: give the path of a WAV file.") from error
        except OSError as error:
            raise FormatError(f"{path} cannot be read ({error.strerror}): give the path of a WAV file.") from error
        try:
            self._layout, self._left = _read_header(self._file, self.path)
        except BaseException:
            self._file.close()
            raise
        self.rate = self._layout.rate
        """Samples per second."""
        self._frame_bytes = self._layout.channels * self._layout.bits // 8
        self.length = self._left // self._frame_bytes
        """How many samples (per channel) the file holds."""

    def read(self, n: int) -> Samples:
        """Return the next ``n`` samples, mixed to mono; fewer at the end."""
        data = self._file.read(min(n * self._frame_bytes, self._left - self._left % self._frame_bytes))
        self._left -= len(data)
        data = data[: len(data) - len(data) % self._frame_bytes]
        channels = _values(data, self._layout).reshape(-1, self._layout.channels)
        return to_int16(channels[:, 0] if self._layout.channels == 1 else channels.mean(axis=1))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_wav(path: str | Path, *, rate: int = 24_000) -> Samples:
    """Return a whole WAV file as mono 16-bit sound at ``rate``.

    Raises:
        FormatError: see ``WavReader``.
    """
    with WavReader(path) as reader:
        return resample(reader.read(reader.length), reader.rate, rate)


def _read_header(file: BinaryIO, path: Path) -> tuple[_Layout, int]:
    """Return the layout and how many bytes of sound there are, the file standing at the first of them."""
    end = file.seek(0, 2)
    file.seek(0)
    start = file.read(12)
    if end == 0:
        raise FormatError(f"{path} is empty: give a WAV file that holds sound.")
    if start[:4] != b"RIFF" or start[8:12] != b"WAVE":
        raise FormatError(f"{path} is not a WAV file (it begins with {start[:4]!r}): {_MEND}")
    layout = None
    while len(head := file.read(8)) == 8:
        name, size = struct.unpack("<4sI", head)
        if name == b"fmt ":
            layout = _read_layout(file.read(size + size % 2), path)
        elif name == b"data":
            if layout is None:
                break
            size = min(size, end - file.tell())
            if size < layout.channels * layout.bits // 8:
                raise FormatError(f"{path} holds no sound: give a WAV file that does.")
            return layout, size
        else:
            file.seek(size + size % 2, 1)
    raise FormatError(f"{path} ends before its sound begins (a WAV file that was cut short?): {_MEND}")


def _read_layout(chunk: bytes, path: Path) -> _Layout:
    if len(chunk) < 16:
        raise FormatError(f"{path} has a broken header: {_MEND}")
    kind, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunk)
    if kind == _EXTENSIBLE and len(chunk) >= 26:
        (kind,) = struct.unpack_from("<H", chunk, 24)
    if (kind, bits) not in _KINDS or not channels or not rate:
        raise FormatError(
            f"{path} holds {bits}-bit sound of WAV kind {kind}, {channels} channels at {rate} Hz, "
            f"but 8 to 32-bit PCM or float is read: {_MEND}"
        )
    return _Layout(kind, channels, rate, bits)


def _values(data: bytes, layout: _Layout) -> NDArray[Any]:
    """Return the bytes of samples as numbers from -1 to 1."""
    if layout.kind == _FLOAT:
        return np.nan_to_num(np.frombuffer(data, f"<f{layout.bits // 8}"), nan=0.0)
    if layout.bits == 8:  # the only unsigned one
        return (np.frombuffer(data, np.uint8).astype(np.float64) - 128) / 128
    if layout.bits == 24:
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return wide.view("<i4")[:, 0] / 2.0**31
    return np.frombuffer(data, f"<i{layout.bits // 8}") / 2.0 ** (layout.bits - 1)
