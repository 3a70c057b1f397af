"""Make the two synthesizers speak. Loaded in the voice's process only."""

from __future__ import annotations

import ctypes
import io
import os
import re
import subprocess
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ...errors import SimulatorError, require

if TYPE_CHECKING:
    from ...ports import Samples
    from .voices import Timbre

_TIMEOUT_S = 60
"""``flite`` needs 0.02 s per second of speech; one that takes this long will never answer."""


class Synthesizer(Protocol):
    """Turn text into sound."""

    def say(self, text: str, timbre: Timbre, speed: float) -> tuple[Samples, int]:
        """Return the speech and its rate."""
        ...


class Flite:
    """Speak with the ``flite`` program."""

    def __init__(self, program: str) -> None:
        self._program = program

    def say(self, text: str, timbre: Timbre, speed: float) -> tuple[Samples, int]:
        # Sound taken for faster than it is rises in pitch; spoken slower by as much, it keeps its pace. Flite's own
        # feature for pitch does nothing to some voices.
        stretch = timbre.flite_shift / speed
        done = subprocess.run(  # noqa: S603 - no shell; the text is one argument
            [
                *(self._program, "-voice", timbre.flite, "--setf", f"duration_stretch={stretch:.3f}"),
                *("-t", speakable(text), "-o", "/dev/stdout"),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if done.returncode or not done.stdout.startswith(b"RIFF"):
            said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
            raise SimulatorError(f"{self._program} ended with exit code {done.returncode}: {said or 'it said nothing'}")
        with wave.open(io.BytesIO(done.stdout)) as sound:
            samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
            return samples, round(sound.getframerate() * timbre.flite_shift)


_AUDIO_OUTPUT_SYNCHRONOUS, _DONT_EXIT, _CHARS_UTF8 = 2, 0x8000, 1  # espeak-ng's speak_lib.h
_RATE_PARAMETER, _PITCH_PARAMETER = 1, 3
_WORDS_PER_MINUTE = 150
"""The local listener understands it best at this pace (20 of 20 sentences of a grammar; 19 at 170)."""
_SLOWEST, _FASTEST = 80, 450
"""Words per minute that espeak-ng takes."""


class Espeak:
    """Speak with the espeak-ng library that ``espeakng_loader`` brings. One per process: the library has one state."""

    def __init__(self) -> None:
        loader = require("espeakng_loader", extra="local", needed_by="The local voice")
        self._sound = bytearray()
        self._library: Any = ctypes.CDLL(loader.get_library_path())
        # The library has room for 160 bytes of path, and an environment may lie deeper than that: give a relative one.
        os.chdir(Path(loader.get_data_path()).parent)
        self._rate = self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, b".", _DONT_EXIT)
        if self._rate <= 0:
            raise SimulatorError(f"espeak-ng does not find its data in {loader.get_data_path()}: reinstall it.")
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        self._callback = kind(self._take)  # the library keeps no reference
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, timbre: Timbre, speed: float) -> tuple[Samples, int]:
        if self._library.espeak_SetVoiceByName(timbre.espeak.encode()):
            raise SimulatorError(f"espeak-ng has no voice {timbre.espeak!r}.")
        pace = min(max(round(_WORDS_PER_MINUTE * speed), _SLOWEST), _FASTEST)
        self._library.espeak_SetParameter(_RATE_PARAMETER, pace, 0)
        self._library.espeak_SetParameter(_PITCH_PARAMETER, timbre.espeak_pitch, 0)
        written = speakable(text).encode()
        self._sound.clear()
        failed = self._library.espeak_Synth(written, len(written) + 1, 0, 0, 0, _CHARS_UTF8, None, None)
        if failed:
            raise SimulatorError(f"espeak-ng could not speak {text[:60]!r} (its error {failed}).")
        return np.frombuffer(bytes(self._sound), np.int16), self._rate

    def _take(self, samples: int | None, count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._sound += ctypes.string_at(samples, 2 * count)
        return 0  # go on


def speakable(text: str) -> str:
    """Return text without what would be read aloud as a symbol (Markdown), or could not be passed on (controls)."""
    return " ".join(re.sub(r"[*_`#\x00-\x1f\x7f]+", " ", text).split())
