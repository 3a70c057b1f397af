"""List sound devices in a process of its own: PortAudio aborts its process where ALSA's configuration is broken."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import asdict

from ..errors import DeviceError, MissingExtraError, RealtimeUtilsError
from .devices import PORTAUDIO_FAILS, Device, devices_here

_PATIENCE_S = 15.0


def list_devices() -> tuple[Device, ...]:
    """Return the sound devices there are now; PortAudio is not loaded into this process.

    Raises:
        DeviceError: they cannot be listed: PortAudio is not installed, or does not start.
        MissingExtraError: ``sounddevice`` is not installed.
    """
    check_installed("sounddevice", needed_by="list_devices")
    program = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import main; main()"
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-c", program], capture_output=True, timeout=_PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DeviceError(
            f"The sound devices were not listed within {_PATIENCE_S:g} s: see that the sound server answers."
        ) from error
    if done.returncode:
        raise DeviceError(PORTAUDIO_FAILS.format(f"its process ended with {done.returncode}"))
    answer = json.loads(done.stdout)
    if isinstance(answer, str):
        raise DeviceError(answer)
    return tuple(Device(**fields) for fields in answer)


def check_installed(*packages: str, needed_by: str) -> None:
    """Miss packages before another process does. They are not imported: some load PortAudio.

    Raises:
        MissingExtraError: one is not installed.
    """
    for name in packages:
        try:
            found = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            found = None
        if found is None:
            raise MissingExtraError(needed_by, name, "audio")


def main() -> None:
    """Be the process that lists them: write a list, or a sentence that says why not."""
    try:
        answer: object = [asdict(device) for device in devices_here()]
    except RealtimeUtilsError as error:
        answer = str(error)
    json.dump(answer, sys.stdout)
