"""Keep a microphone, a loudspeaker and the engine that runs them together while they are open."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, Literal

from ..clock import Clock
from ..errors import DeviceError
from .devices import PORTAUDIO_FAILS, Device
from .engine_link import Messages
from .engine_options import EngineOptions
from .engine_process import EngineHost, ProcessHost, ThreadHost
from .host_microphone import HostMicrophone
from .host_speaker import HostSpeaker
from .host_stats import HostStats
from .local_vad import LocalVad
from .sound_memory import SIZE, Shared, SoundMemory

_logger = logging.getLogger(__name__)

_OPENING_S = 15.0
"""How long an engine may take to open its devices: Python's start, PortAudio's, and a sound server's."""
_HUNG_S = 5.0
"""Without a step of the engine for so long, it hangs."""
_DEATHS = 3
_DEATHS_S = 10.0
"""An engine that dies more often within this is not started again."""


class HostAudio:
    """Be the host's microphone and loudspeaker while they are open."""

    def __init__(self, options: EngineOptions, engine: Literal["process", "thread"], clock: Clock) -> None:
        self._options = options
        self._shared = Shared() if engine == "process" else None
        self._memory = SoundMemory(self._shared.buffer if self._shared else bytearray(SIZE))
        self.microphone: HostMicrophone = HostMicrophone(self._memory, self.attach)
        """Cleaned of what the loudspeaker sounds."""
        self.speaker: HostSpeaker = HostSpeaker(self._memory, clock, self.attach)
        self.local_vad: LocalVad = LocalVad(self._memory)
        """Tells when the user talks; silent with ``local_vad=False``."""
        self._clock = clock
        self._names = ("", "")
        self._deaths: list[float] = []
        self._restarts = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._host = self._started(options)

    @property
    def stats(self) -> HostStats:
        """What happened until now."""
        header = self._memory.header
        asked = self._options.echo
        echo = "half_duplex" if header.is_half_duplex else asked or "none"
        return HostStats(
            *self._names,
            rate=header.rate,
            echo=echo if isinstance(echo, str) else "custom",
            is_settled=bool(header.is_settled),
            is_running=bool(header.is_running),
            underruns=header.underruns,
            overruns=header.overruns,
            jumps=header.jumps + header.mic_jumps,
            slips=header.slips,
            resets=header.resets,
            reopenings=header.reopenings,
            restarts=self._restarts,
            lost=self.microphone.lost,
        )

    @property
    def engine_pid(self) -> int | None:
        """The process that the engine runs in; None where it is a thread."""
        return self._host.pid

    def open(self) -> None:
        """Wait until the devices are open.

        Raises:
            DeviceError: they cannot be opened.
        """
        self._host.end.settimeout(_OPENING_S)
        try:
            while not self._names[0]:
                data = self._host.end.recv(65_536)
                if not data:
                    raise DeviceError(PORTAUDIO_FAILS.format("the sound engine died of it"))
                self._read(data)
        except TimeoutError as error:
            raise DeviceError(
                f"The sound devices did not open within {_OPENING_S:g} s: see that the sound server answers."
            ) from error
        self._host.end.setblocking(False)

    def close(self) -> None:
        """Fall silent and close the devices."""
        self._detach()
        self.microphone.end()
        self._host.close()
        if self._shared is not None:
            self._shared.close()

    def _started(self, options: EngineOptions) -> EngineHost:
        self._messages = Messages()
        self._started_at = self._clock.now()
        return ThreadHost(self._memory, options) if self._shared is None else ProcessHost(self._shared, options)

    def attach(self) -> None:
        """Have the event loop that runs now look at what the engine says."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if loop is self._loop:
            return
        self._detach()
        self._watch_on(loop)

    def _watch_on(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._timer = loop.call_later(_HUNG_S, self._see_that_it_lives)
        try:
            loop.add_reader(self._host.end, self._woken)
        except NotImplementedError:  # Windows' own event loop watches no sockets; a thread does
            threading.Thread(target=_watch_for, args=(loop, self._host.end, self._woken), daemon=True).start()

    def _detach(self) -> None:
        loop, self._loop = self._loop, None
        if self._timer is not None:
            self._timer.cancel()
        if loop is not None and not loop.is_closed():
            try:
                loop.remove_reader(self._host.end)
            except NotImplementedError:
                return

    def _see_that_it_lives(self) -> None:
        """End an engine that hangs in a call to the sound system; that it has ended is then seen like any death."""
        if self._clock.now() - max(self._memory.header.step_time, self._started_at) > _HUNG_S:
            self._host.kill()
        if self._loop is not None:
            self._timer = self._loop.call_later(_HUNG_S, self._see_that_it_lives)

    def _woken(self) -> None:
        try:
            data = self._host.end.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._died()
            return
        self._read(data)
        self.speaker.look()
        self.local_vad.look()
        self.speaker.release()
        self.microphone.wake()

    def _read(self, data: bytes) -> None:
        for message in self._messages.feed(data):
            if names := message.get("devices_open"):
                self._names = (str(names[0]), str(names[1]))
            elif "notice" in message:
                _logger.warning("%s", message["notice"])
            elif "failed" in message and self._names[0]:
                _logger.error("%s", message["failed"])  # it has died of that, and is started again
            elif "failed" in message:
                raise DeviceError(message["failed"], [Device(*fields) for fields in message.get("devices", ())])

    def _died(self) -> None:
        """Start another engine, which goes on with the tape where this one was heard last."""
        header, now = self._memory.header, self._clock.now()
        if header.is_running:  # what the device took and did not sound went with it
            header.head = min(int((header.head_time - header.zero_time) * header.rate), header.head)
        header.is_running = 0
        loop = self._loop
        self._detach()
        self._host.close()
        self._deaths = [t for t in self._deaths if now - t < _DEATHS_S] + [now]
        if len(self._deaths) >= _DEATHS:
            failure = DeviceError(
                f"The sound engine died {len(self._deaths)} times within {_DEATHS_S:g} s; it is given up."
            )
            _logger.error("%s", failure)
            self.microphone.end(failure)
            return
        self._restarts += 1
        _logger.warning("The sound engine died; it is started again, and what was being said goes on.")
        self._host = self._started(self._options.again())
        self._host.end.setblocking(False)
        if loop is not None:
            self._watch_on(loop)


def _watch_for(loop: asyncio.AbstractEventLoop, end: Any, look: Callable[[], None]) -> None:
    """Call ``look`` on an event loop whenever there is something to read. Windows only."""
    import select

    while end.fileno() >= 0 and not loop.is_closed():
        try:
            ready, _, _ = select.select([end], [], [], 1.0)
        except (OSError, ValueError):
            return
        if ready:
            looked = threading.Event()
            loop.call_soon_threadsafe(lambda looked=looked: (look(), looked.set()))
            looked.wait(1.0)
