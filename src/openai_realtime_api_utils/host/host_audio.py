"""Use the host's microphone and loudspeaker, as one pair: taking the one out of the other needs both."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from ..clock import Clock, SystemClock
from ..errors import HandlerError, require
from .devices import DeviceChoice, choose
from .devices_apart import check_installed, list_devices
from .engine_options import Echo, EngineOptions

if TYPE_CHECKING:
    from .open_audio import HostAudio


@contextmanager
def host_audio(
    *,
    input: DeviceChoice = None,  # noqa: A002 - the word for it
    output: DeviceChoice = None,
    echo: Echo = "aec3",
    local_vad: bool = True,
    noise_suppression: bool = False,
    engine: Literal["process", "thread"] = "process",
    clock: Clock | None = None,
) -> Generator[HostAudio]:
    """Open the host's microphone and loudspeaker.

    It takes about a second, in which an event loop stands still: open them before the conversation. A device that stops
    is opened again, and an engine that dies is started again; both are told as warnings of this library's logger.

    Args:
        input: which microphone: an index, a part of its name, or a rule that picks an index from the devices.
        output: which loudspeaker.
        echo: ``"aec3"`` takes the loudspeaker out of the microphone; ``"half_duplex"`` silences the microphone while
            the loudspeaker sounds; None is for headphones; a function makes a canceller of your own for a rate.
        local_vad: whether to tell when the user talks before the server does.
        noise_suppression: whether ``"aec3"`` also takes out steady noise.
        engine: ``"process"`` cannot be held up by a busy program; ``"thread"`` is for where no process can be started.
        clock: the machine's monotonic one.

    Raises:
        DeviceError: a device cannot be opened; ``.devices`` lists those there are.
        HandlerError: an argument cannot be used.
        MissingExtraError: a package is not installed.
    """
    if engine not in ("process", "thread"):
        raise HandlerError(f"host_audio has no engine {engine!r}: give 'process' or 'thread'.")
    if echo not in ("aec3", "half_duplex", None) and not callable(echo):
        raise HandlerError(f"host_audio has no echo {echo!r}: give 'aec3', 'half_duplex', None or a function.")
    _check_installed(echo, local_vad=local_vad)
    options = EngineOptions(
        input=_picked(input, "input"),
        output=_picked(output, "output"),
        echo=echo,
        noise_suppression=noise_suppression,
        local_vad=local_vad,
    )
    from .open_audio import HostAudio

    sound = HostAudio(options, engine, clock or SystemClock())
    try:
        sound.open()
        sound.attach()
        yield sound
    finally:
        sound.close()


def _check_installed(echo: Echo, *, local_vad: bool) -> None:
    require("numpy", extra="audio", needed_by="host_audio")
    wanted = [
        "rtmixer",
        "samplerate",
        *(["pywebrtc_audio"] if echo == "aec3" else []),
        *(["webrtcvad"] if local_vad else []),
    ]
    check_installed(*wanted, needed_by="host_audio")


def _picked(choice: DeviceChoice, kind: Literal["input", "output"]) -> DeviceChoice:
    """Apply a rule here, where it can be run; the engine is given the name of what it picked."""
    return choose(choice, kind, list_devices()).name if callable(choice) else choice
