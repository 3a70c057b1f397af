"""List the sound devices of the machine, and choose among them."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ..errors import DeviceError, require

NO_PORTAUDIO = "PortAudio, which opens sound devices, is not installed: run  sudo apt-get install libportaudio2"
PORTAUDIO_FAILS = (
    "PortAudio, which opens sound devices, cannot start ({}): "
    "see that the system's sound configuration is whole (of ALSA: asound.conf)."
)

Kind: TypeAlias = Literal["input", "output"]


@dataclass(frozen=True)
class Device:
    """Describe a sound device."""

    index: int
    name: str
    host_api: str
    inputs: int
    """Channels that can be recorded."""
    outputs: int
    """Channels that can be played."""
    rate: int
    """Its own samples per second."""
    is_default_input: bool = False
    is_default_output: bool = False

    def has(self, kind: Kind) -> bool:
        """Whether it can be used as a microphone (``input``) or as a loudspeaker (``output``)."""
        return (self.inputs if kind == "input" else self.outputs) > 0


DeviceChoice: TypeAlias = "int | str | Callable[[Sequence[Device]], int] | None"
"""An index, a part of a name (case does not matter), or a rule that picks an index; None is the machine's default."""


def devices_here() -> tuple[Device, ...]:
    """Return the sound devices there are now, by PortAudio in this process.

    Raises:
        DeviceError: PortAudio is not installed, or does not start.
        MissingExtraError: ``sounddevice`` is not installed.
    """
    sounddevice = load("sounddevice", needed_by="list_devices")
    apis = sounddevice.query_hostapis()
    default_input, default_output = (int(index) for index in sounddevice.default.device)
    return tuple(
        Device(
            index,
            str(found["name"]),
            str(apis[found["hostapi"]]["name"]),
            int(found["max_input_channels"]),
            int(found["max_output_channels"]),
            round(found["default_samplerate"]),
            index == default_input,
            index == default_output,
        )
        for index, found in enumerate(sounddevice.query_devices())
    )


def choose(choice: DeviceChoice, kind: Kind, devices: Sequence[Device]) -> Device:
    """Return the device that was asked for.

    Raises:
        DeviceError: there is none, it cannot be used so, or more than one fits.
    """
    word = "microphone" if kind == "input" else "loudspeaker"
    usable = [device for device in devices if device.has(kind)]
    if not usable:
        raise DeviceError(f"There is no {word}: connect one, or start the sound server.", devices)
    listed = "; ".join(f"{device.index} {device.name}" for device in usable)
    if callable(choice):
        choice = choice(devices)
    if choice is None:
        fits = [d for d in usable if (d.is_default_input if kind == "input" else d.is_default_output)] or usable[:1]
    elif isinstance(choice, int):
        fits = [device for device in usable if device.index == choice]
    else:
        exact = [device for device in usable if device.name == choice]
        fits = exact[:1] or [device for device in usable if choice.lower() in device.name.lower()]
    if not fits:
        raise DeviceError(f"There is no {word} {choice!r}: choose one of {listed}.", devices)
    if len(fits) > 1:
        names = ", ".join(repr(device.name) for device in fits)
        raise DeviceError(f"The {word} {choice!r} may be any of {names}: give more of its name, or its index.", devices)
    return fits[0]


def load(module: str, *, needed_by: str) -> Any:
    """Import ``sounddevice`` or what is built on it; PortAudio's and ALSA's own words are kept off the screen.

    Raises:
        DeviceError: PortAudio is not installed.
        MissingExtraError: the package is not installed.
    """
    if module in sys.modules:
        return sys.modules[module]
    try:
        with silenced_stderr():
            loaded = require(module, extra="audio", needed_by=needed_by)
    except OSError as error:
        if "PortAudio" not in str(error):
            raise
        raise DeviceError(NO_PORTAUDIO) from error
    except Exception as error:
        if type(error).__name__ != "PortAudioError":  # the module that defines it could not be imported
            raise
        raise DeviceError(PORTAUDIO_FAILS.format(error)) from error
    _silence_alsa()
    return loaded


@contextmanager
def silenced_stderr() -> Generator[None]:
    """Keep what C libraries write to the standard error away from the user's screen meanwhile."""
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _silence_alsa() -> None:
    """Have ALSA tell its underruns to nobody; they are counted elsewhere. Linux only.

    Its error handler becomes a function of the C library that ignores its arguments: a Python one would need the GIL,
    in the very thread that must never wait for it.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        libasound, libc = ctypes.CDLL("libasound.so.2"), ctypes.CDLL(None)
        libasound.snd_lib_error_set_handler(ctypes.cast(libc.getpid, ctypes.c_void_p))
    except (OSError, AttributeError):
        return
