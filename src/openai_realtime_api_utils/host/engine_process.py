"""Run a sound engine: in a process of its own, where no busy program can hold it up, or in a thread."""

from __future__ import annotations

import io
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import astuple
from typing import Any, Protocol, cast

from ..clock import SystemClock
from ..errors import DeviceError, HandlerError, RealtimeUtilsError
from ..thread_switching import thread_switching
from .engine_link import EngineLink
from .engine_options import EngineOptions
from .sound_memory import Shared, SoundMemory, opened

_PATIENCE_S = 2.0
"""How long an engine may take to close its devices before it is killed."""

_LOOK_EVERY = 3
"""Steps between two looks whether the program is still there."""

_PRIORITY = -11
"""Of the engine's process, as sound servers have it: its callback is due every 7 ms, whatever else the machine does."""

_SWITCH_INTERVAL_S = 0.001
"""With Python's own 5 ms a thread gets no turn beside a busy event loop (0.30 of the microphone, measured)."""


class EngineHost(Protocol):
    """Be what an engine runs in."""

    end: socket.socket
    """The program's end of the link; it reads as closed when the engine has died."""

    def close(self) -> None:
        """End the engine."""
        ...

    def kill(self) -> None:
        """End the engine that does not end by itself, where that is possible."""
        ...

    @property
    def pid(self) -> int | None:
        """The engine's own process, if it has one."""
        ...


def serve(memory: SoundMemory, options: EngineOptions, end: socket.socket) -> None:
    """Run an engine until the program hangs up."""
    link = EngineLink(end)
    try:
        _serve(memory, options, link)
    except DeviceError as error:
        link.tell(failed=str(error), devices=[astuple(device) for device in error.devices])
    except RealtimeUtilsError as error:
        link.tell(failed=str(error))
    except Exception as error:  # noqa: BLE001 - told to the program, which has no other way to know
        link.tell(failed=f"The sound engine failed ({type(error).__name__}: {error}).")
    finally:
        link.close()


def _serve(memory: SoundMemory, options: EngineOptions, link: EngineLink) -> None:
    from .engine import STEP_S, Engine
    from .portaudio import PortAudio

    clock = SystemClock()
    engine = Engine(memory, PortAudio(clock), options, clock)
    try:
        told, header, steps = None, memory.header, 0
        records, changes, holds = header.records, header.talk_changes, header.holds
        while link.is_open:
            engine.step()
            if (names := engine.device_names) != told:
                told = names
                link.tell(devices_open=names)
            for notice in engine.take_notices():
                link.tell(notice=notice)
            if (records, changes, holds) != (header.records, header.talk_changes, header.holds):
                records, changes, holds = header.records, header.talk_changes, header.holds
                link.wake()
            steps += 1
            if not steps % _LOOK_EVERY:
                link.look()
            time.sleep(STEP_S)
    finally:
        engine.close()


class ThreadHost:
    """Run an engine in a thread of this process."""

    pid = None

    def __init__(self, memory: SoundMemory, options: EngineOptions) -> None:
        self.end, engine_end = socket.socketpair()
        self._while_open = ExitStack()
        self._while_open.enter_context(thread_switching.at_most(_SWITCH_INTERVAL_S))
        self._thread = threading.Thread(
            target=serve, args=(memory, options, engine_end), name="sound engine", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self.end.close()
        self._thread.join(_PATIENCE_S)
        self._while_open.close()

    def kill(self) -> None:
        return  # a thread cannot be ended


class ProcessHost:
    """Run an engine in a process of its own, which ends when this one does."""

    def __init__(self, shared: Shared, options: EngineOptions) -> None:
        """Start it.

        Raises:
            HandlerError: the canceller's factory cannot be sent to another process.
        """
        described = _pickled(options)
        self.end, engine_end = socket.socketpair()
        inherited: dict[str, Any] = {}
        if sys.platform != "win32":
            inherited["pass_fds"] = (*shared.inherited, engine_end.fileno())
        # The same module path as here, wherever this program got it from; not its main module, which would run again.
        program = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import main; main()"
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # ALSA and PortAudio write there; errors come over the link
            **inherited,
        )
        handle = engine_end.share(self._process.pid) if sys.platform == "win32" else engine_end.fileno()
        stdin = cast("io.BufferedIOBase", self._process.stdin)
        for part in (pickle.dumps((shared.handle, handle)), described):
            stdin.write(struct.pack("<I", len(part)) + part)
        stdin.close()
        engine_end.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self.end.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _pickled(options: EngineOptions) -> bytes:
    try:
        if getattr(options.echo, "__module__", None) == "__main__":
            raise pickle.PicklingError("it is defined in the main program")
        return pickle.dumps(options)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise HandlerError(
            f"The echo canceller {options.echo!r} cannot be sent to the engine's process ({error}): "
            "define its factory in a module of its own, or use engine='thread'."
        ) from error


def main() -> None:
    """Be the process of a sound engine."""
    with suppress(AttributeError, OSError):  # no such thing on Windows; not allowed to everybody elsewhere
        os.setpriority(os.PRIO_PROCESS, 0, _PRIORITY)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the program's; it hangs up when it is done
    shared_handle, handle = pickle.loads(_part(sys.stdin.buffer))  # noqa: S301 - from our own parent
    end = socket.fromshare(handle) if sys.platform == "win32" else socket.socket(fileno=handle)
    memory = SoundMemory(opened(shared_handle))
    serve(memory, pickle.loads(_part(sys.stdin.buffer)), end)  # noqa: S301
    os._exit(0)  # PortAudio's own clean-up at exit waits for devices that may be gone


def _part(stream: io.BufferedIOBase | Any) -> bytes:
    (length,) = struct.unpack("<I", stream.read(4))
    return stream.read(length)
