"""Open sound devices by PortAudio, with callbacks in C (``rtmixer``): no Python between sound and device.

Every call on a stream must come from one thread: two at once corrupt rtmixer's list of actions (measured).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..audio.anchor import Stamp
from ..clock import Clock
from ..errors import DeviceError
from .backend import Streams
from .devices import Device, Kind, choose, devices_here, load, silenced_stderr

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..audio.ring import Ring
    from .devices import DeviceChoice

RATE = 24_000
"""Asked for first: a sound server takes it and resamples by itself. Else the device's own."""

_QUEUE = 256
"""Actions that may wait between two blocks; rtmixer's own default of 16 overflows."""
_RECORDED = 1 << 19
"""Samples of recording that may wait, a power of two: 10.9 s at 48 kHz. Recording ends for good when it is full."""
_STATS_S = 1.0
_HARDWARE_CHANNELS = range(2, 9)
"""A device with so many outputs is a card, where one channel sounds on the left only; one with more is a mixer."""
_INPUT_BLOCK_MS = 10
_TOGETHER_S = 0.1
"""How far ahead the channels are told to start, so that they start in one sample."""


class PortAudio:
    """Open PortAudio's devices."""

    def __init__(self, clock: Clock) -> None:
        """Load PortAudio.

        Raises:
            DeviceError: PortAudio is not installed.
            MissingExtraError: a package is not installed.
        """
        self.clock = clock
        self._rtmixer: Any = load("rtmixer", needed_by="host_audio")
        self._sounddevice: Any = load("sounddevice", needed_by="host_audio")

    def open(
        self,
        *,
        output: DeviceChoice,
        input: DeviceChoice,  # noqa: A002
        tape: Ring,
        position: int,
        block_ms: float,
        rate: int | None = None,
    ) -> Streams:
        devices = devices_here()
        speaker, microphone = choose(output, "output", devices), choose(input, "input", devices)
        # In from the start of out: what the loudspeaker sounds first is heard as well.
        listening = self._open(microphone, "input", devices, None, lambda d, r: _Recorder(self, d, r))
        try:
            speaking = self._open(
                speaker, "output", devices, rate, lambda d, r: _Player(self, d, r, tape, position, block_ms)
            )
        except DeviceError:
            listening.close()
            raise
        return Streams(speaking, listening, speaker.name, microphone.name)

    def look_again(self) -> None:
        with silenced_stderr():
            self._sounddevice._terminate()  # noqa: SLF001 - PortAudio lists devices only when it is initialised
            self._sounddevice._initialize()  # noqa: SLF001

    def since(self, stream: Any) -> float:
        """Return how far the stream's own clock is ahead of ours, which may not be the same for long: it is set."""
        before = self.clock.now()
        theirs = float(stream.time)
        return theirs - (before + self.clock.now()) / 2

    def _open(
        self,
        device: Device,
        kind: Kind,
        devices: tuple[Device, ...],
        rate: int | None,
        make: Callable[[Device, int], Any],
    ) -> Any:
        rates = [rate] if rate else dict.fromkeys((RATE, device.rate // 100 * 100, 48_000, 44_100))
        failures: list[str] = []
        for each in rates:
            try:
                with silenced_stderr():
                    return make(device, each)
            except self._sounddevice.PortAudioError as error:
                failures.append(f"at {each} Hz: {error.args[0] if error.args else error}")
        word = "microphone" if kind == "input" else "loudspeaker"
        raise DeviceError(
            f"The {word} {device.name!r} cannot be opened ({'; '.join(failures)}): "
            f"close what else uses it, start the sound server, or choose another device.",
            devices,
        )

    def mixer(self, device: Device, rate: int, block: int, channels: int) -> Any:
        return self._rtmixer.Mixer(device=device.index, **_common(rate, block, channels))

    def recorder(self, device: Device, rate: int, block: int, channels: int) -> Any:
        return self._rtmixer.Recorder(device=device.index, **_common(rate, block, channels))

    def ring(self, **how: Any) -> Any:
        return self._rtmixer.RingBuffer(4, **how)


def _common(rate: int, block: int, channels: int) -> dict[str, Any]:
    return {"samplerate": rate, "blocksize": block, "channels": channels, "latency": "low", "qsize": _QUEUE}


class _Stream:
    """Do what both directions have in common, on one perpetual action of rtmixer."""

    def __init__(self, host: PortAudio, stream: Any, rate: int) -> None:
        self.rate = rate
        self.runs = 0
        self._host = host
        self._stream = stream
        self._action: Any = None
        self._probe: Any = None
        self._probed_at: int | None = None
        self._stats: Any = None
        self._next_stats = 0.0

    @property
    def frames(self) -> int:
        return self._action.done_frames

    @property
    def is_alive(self) -> bool:
        return bool(self._stream.active) and self._action in self._stream.actions

    def stamp(self) -> Stamp | None:
        self._count()
        if self._probe is None or self._probe in self._stream.actions:
            return None
        probe, sample = self._probe, self._probed_at
        self._probe = None
        return None if sample is None else Stamp(probe.actual_time - self._host.since(self._stream), sample)

    def close(self) -> None:
        with silenced_stderr():
            self._stream.abort(ignore_errors=True)
            self._stream.close(ignore_errors=True)

    def _begin_probe(self, start: Callable[[], Any]) -> None:
        """Begin an action of one sample: if no block goes by meanwhile, it begins with the next of the stream."""
        if self._probe is None and self._action.done_frames:
            before = self._action.done_frames
            self._probe = start()
            self._probed_at = before if self._action.done_frames == before else None

    def _count(self) -> None:
        now = self._host.clock.now()
        if self._stats is not None and self._stats not in self._stream.actions:
            stats = self._stats.stats
            self.runs += stats.output_underflows + stats.input_overflows
            self._stats = None
        if self._stats is None and now >= self._next_stats:
            self._stats = self._stream.fetch_and_reset_stats()
            self._next_stats = now + _STATS_S


class _Player(_Stream):
    """Sound a tape, on as many channels as make a card sound on both sides."""

    def __init__(self, host: PortAudio, device: Device, rate: int, tape: Ring, position: int, block_ms: float) -> None:
        channels = 2 if device.outputs in _HARDWARE_CHANNELS else 1
        self.block = round(rate * block_ms / 1000)
        super().__init__(host, host.mixer(device, rate, self.block, channels), rate)
        self._rings: list[Any] = []
        for _ in range(channels):
            ring = host.ring(buffer=tape.memory)
            ring.advance_write_index(position % tape.size)
            ring.advance_read_index(position % tape.size)
            ring.advance_write_index(tape.size // 2)
            self._rings.append(ring)
        self._silence = np.zeros(1, np.float32)
        self._stream.start()
        start = self._stream.time + _TOGETHER_S if channels > 1 else 0
        actions = [self._stream.play_ringbuffer(ring, [n + 1], start) for n, ring in enumerate(self._rings)]
        self._action = actions[0]

    def extend(self, n: int) -> None:
        for ring in self._rings:
            ring.advance_write_index(n)

    def probe(self) -> None:
        self._begin_probe(lambda: self._stream.play_buffer(self._silence, 1))


class _Recorder(_Stream):
    """Record one channel."""

    def __init__(self, host: PortAudio, device: Device, rate: int) -> None:
        super().__init__(host, host.recorder(device, rate, rate * _INPUT_BLOCK_MS // 1000, 1), rate)
        self._ring = host.ring(size=_RECORDED)
        self._stream.start()
        self._action = self._stream.record_ringbuffer(self._ring)

    def read(self) -> NDArray[np.float32]:
        return np.frombuffer(self._ring.read(), np.float32)

    def probe(self) -> None:
        self._begin_probe(lambda: self._stream.record_buffer(np.zeros(1, np.float32), 1))
