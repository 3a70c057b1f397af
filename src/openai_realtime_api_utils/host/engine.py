"""Run a loudspeaker and a microphone as one: open them, keep them going, and open them again when they stop.

One object with ``step()``: it runs in a process of its own, in a thread, and on a manual clock in tests.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from ..audio.echo import Aec3, Cleaner, HalfDuplex
from ..audio.voice import VoiceDetector
from ..clock import Clock
from ..errors import DeviceError
from .backend import Backend, Streams
from .devices import DeviceChoice
from .engine_ear import EngineEar
from .engine_input import EngineInput
from .engine_options import EngineOptions
from .engine_outlet import EngineOutlet
from .engine_output import EngineOutput
from .sound_memory import RATE, SoundMemory

STEP_S = 0.02
"""How often the engine looks: 20 ms is what the voice detector judges, and what is sent to a server at a time. To wake
up costs more than what there is to do then, for the code has left the caches by then (measured).
"""

_RETRY_S = (0.2, 0.5, 1.0, 2.0)
"""Waits before devices that do not open are tried again; the last one from then on."""
_UNCLEAN = 3
_UNCLEAN_S = 10.0
"""Ran the loudspeaker dry so many times within this, its blocks do not run clean. What comes at once counts once."""
_CLEAN_BLOCK_MS = 10


@dataclass(frozen=True)
class _Running:
    """Be devices that are open."""

    streams: Streams
    output: EngineOutput
    input: EngineInput
    ear: EngineEar


class Engine:
    """Run the devices; tell what happens to them in sentences."""

    def __init__(self, memory: SoundMemory, backend: Backend, options: EngineOptions, clock: Clock) -> None:
        """Open the devices.

        Raises:
            DeviceError: that cannot be, and the options are not patient.
            MissingExtraError: a package is not installed.
        """
        self._memory = memory
        self._backend = backend
        self._options = options
        self._clock = clock
        self._cleaner = _cleaner(options)
        self._outlet = EngineOutlet(memory, VoiceDetector() if options.local_vad else None, clock.now())
        self._block_ms = options.block_ms
        self._failures = 0
        self._retry_at = clock.now()
        self._underruns = memory.header.underruns
        self._dry: deque[float] = deque(maxlen=_UNCLEAN)
        self._notices: list[str] = []
        self._running: _Running | None = None
        header = memory.header
        header.is_half_duplex = options.echo == "half_duplex"
        if header.talk_changes % 2:
            header.talk_changes += 1  # an engine before this one died while somebody talked
        try:
            self._start(options.output, options.input)
        except DeviceError:
            if not options.is_patient:
                raise

    @property
    def device_names(self) -> tuple[str, str] | None:
        """What the loudspeaker and the microphone are called; None while they are not open."""
        streams = self._running and self._running.streams
        return (streams.output_name, streams.input_name) if streams else None

    def take_notices(self) -> list[str]:
        """Return what the user should be told since the last time."""
        notices, self._notices = self._notices, []
        return notices

    def step(self) -> None:
        """Do what is due."""
        now = self._clock.now()
        self._memory.header.step_time = now
        running = self._running
        if running is None:
            self._outlet.be_silent(now)
            if now >= self._retry_at:
                self._start_again(now)
            return
        running.output.step(now)
        is_measured = running.input.step(now)
        self._notices += running.ear.step(now, is_measured=is_measured)
        if running.output.steadiness.has_stopped(now):
            self._stop(running, f"The loudspeaker {running.streams.output_name!r} stopped; it is opened again.", now)
        elif running.input.steadiness.has_stopped(now):
            self._stop(running, f"The microphone {running.streams.input_name!r} stopped; it is opened again.", now)
        elif self._block_ms < _CLEAN_BLOCK_MS and self._runs_unclean(running, now):
            self._block_ms = _CLEAN_BLOCK_MS
            self._stop(running, "The loudspeaker runs dry; it is opened again with longer blocks.", now)

    def close(self) -> None:
        """Close the devices."""
        self._memory.header.is_running = 0
        if self._running is not None:
            self._running.streams.output.close()
            self._running.streams.input.close()
            self._running = None

    def _start(self, output: DeviceChoice, input: DeviceChoice) -> None:  # noqa: A002 - the word for it
        """Open devices; the tape goes on where it was heard last, at the rate that it had if they take it."""
        header, tape = self._memory.header, self._memory.tape
        position, rate = header.head, header.rate or None
        try:
            streams = self._open(output, input, rate)
        except DeviceError:
            if rate is None:
                raise
            streams = self._open(output, input, None)
        if rate is not None and streams.output.rate != rate:
            tape.silence(position, tape.size // 2)
            header.layouts += 1
        now = self._clock.now()
        speaking = EngineOutput(self._memory, streams.output, position, now)
        listening = EngineInput(self._memory, streams.input, now)
        ear = EngineEar(self._memory, speaking, listening, self._cleaner, self._outlet)
        self._running = _Running(streams, speaking, listening, ear)
        self._dry.clear()
        header.is_running = 1

    def _open(self, output: DeviceChoice, input: DeviceChoice, rate: int | None) -> Streams:  # noqa: A002
        return self._backend.open(
            output=output,
            input=input,
            tape=self._memory.tape,
            position=self._memory.header.head,
            block_ms=self._block_ms,
            rate=rate,
        )

    def _stop(self, running: _Running, sentence: str, now: float) -> None:
        """Close what stopped. What is heard stands still from here."""
        header = self._memory.header
        position = running.output.position_to_go_on_from()
        header.is_running = 0
        header.head, header.head_time = position, now
        self.close()
        self._notices.append(sentence)
        self._failures = 0
        self._retry_at = now

    def _start_again(self, now: float) -> None:
        """Open the devices that were asked for, or if they are gone those that are the default now."""
        options = self._options
        self._backend.look_again()
        try:
            try:
                self._start(options.output, options.input)
            except DeviceError:
                if options.output is None and options.input is None:
                    raise
                self._start(None, None)
        except DeviceError as error:
            self._retry_at = now + _RETRY_S[min(self._failures, len(_RETRY_S) - 1)]
            self._failures += 1
            if self._failures == 1:
                self._notices.append(f"{error} It is tried again until it opens.")
            return
        self._memory.header.reopenings += 1
        names = self.device_names or ("", "")
        self._notices.append(f"The loudspeaker {names[0]!r} and the microphone {names[1]!r} are open again.")

    def _runs_unclean(self, running: _Running, now: float) -> bool:
        underruns, before = self._memory.header.underruns, self._underruns
        self._underruns = underruns
        if underruns > before and running.output.steadiness.has_started:
            self._dry.append(now)
        is_often = len(self._dry) == _UNCLEAN and now - self._dry[0] < _UNCLEAN_S
        return is_often or running.output.ahead.is_running_away


def _cleaner(options: EngineOptions) -> Cleaner | None:
    """Make what takes the echo out, as it was asked for."""
    if options.echo is None:
        return None
    if options.echo == "aec3":
        return Cleaner(RATE, Aec3(RATE, noise_suppression=options.noise_suppression))
    if options.echo == "half_duplex":
        return Cleaner(RATE, HalfDuplex(RATE))
    return Cleaner(RATE, options.echo(RATE))
