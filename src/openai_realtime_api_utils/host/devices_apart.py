"""List sound devices in a process of its own: PortAudio aborts its process where ALSA's configuration is broken."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict

from ..errors import DeviceError, RealtimeUtilsError
from .devices import PORTAUDIO_FAILS, Device, list_devices

_PATIENCE_S = 15.0


def list_devices_apart() -> tuple[Device, ...]:
    """Return the sound devices there are now; PortAudio is not loaded into this process.

    Raises:
        DeviceError: they cannot be listed.
    """
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


def main() -> None:
    """Be the process that lists them: write a list, or a sentence that says why not."""
    try:
        answer: object = [asdict(device) for device in list_devices()]
    except RealtimeUtilsError as error:
        answer = str(error)
    json.dump(answer, sys.stdout)
