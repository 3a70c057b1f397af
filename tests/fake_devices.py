"""Be a sound system on a manual clock, and hold an engine, its program and a listener on it."""

import numpy as np

from openai_realtime_api_utils.audio.anchor import Stamp
from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import DeviceError
from openai_realtime_api_utils.host.backend import Streams
from openai_realtime_api_utils.host.engine import Engine
from openai_realtime_api_utils.host.engine_options import EngineOptions
from openai_realtime_api_utils.host.host_microphone import HostMicrophone
from openai_realtime_api_utils.host.host_speaker import HostSpeaker
from openai_realtime_api_utils.host.local_vad import LocalVad
from openai_realtime_api_utils.host.sound_memory import SIZE, SoundMemory

LATENCY_S = 0.025
"""From the tape to the converter."""


class FakeStream:
    def __init__(self, clock, rate, skew=0.0):
        self.clock, self.rate, self.skew = clock, rate, skew
        self.opened = clock.now()
        self.frames = 0
        self.runs = 0
        self.is_alive = True
        self.is_frozen = False
        self.is_closed = False
        self.late_s = 0.0
        self._stamp = None

    def due(self):
        return int((self.clock.now() - self.opened - self.late_s) * self.rate * (1 + self.skew))

    def probe(self):
        self._stamp = self.stamp_now()

    def stamp(self):
        stamp, self._stamp = self._stamp, None
        return None if self.is_frozen else stamp

    def die(self):
        """End, as the sound system knows."""
        self.is_alive, self.is_frozen = False, True

    def close(self):
        self.is_closed = True


class FakeOutput(FakeStream):
    def __init__(self, clock, rate, block_ms, tape, position, skew):
        super().__init__(clock, rate, skew)
        self.block = round(rate * block_ms / 1000)
        self.tape, self.position = tape, position
        self.allowed = tape.size // 2
        self.sounded = []

    def extend(self, n):
        self.allowed += n

    def pump(self):
        while not self.is_frozen and self.frames + self.block <= self.due():
            self.sounded.append(self.tape.read(self.position + self.frames, self.block))
            self.frames += self.block
            assert self.frames < self.allowed, "the tape ran out"

    def run_away(self, n):
        """Take so many samples of the tape that are thrown away, at once."""
        self.frames += n
        self.late_s -= n / self.rate

    def stamp_now(self):
        at = self.opened + self.late_s + self.frames / (self.rate * (1 + self.skew)) + LATENCY_S
        return Stamp(at, self.frames)


class FakeInput(FakeStream):
    """Hear what is said, and an echo of the loudspeaker."""

    def __init__(self, clock, rate, system):
        super().__init__(clock, rate)
        self.system = system
        self.taken = 0

    def pump(self):
        if not self.is_frozen:
            self.frames = self.due()

    def stamp_now(self):
        return Stamp(self.opened + self.late_s + self.frames / self.rate, self.frames)

    def read(self):
        n = self.frames - self.taken
        start, self.taken = self.opened + self.late_s + self.taken / self.rate, self.frames
        return (self.system.heard_at(start, n, self.rate) / 32_768).astype(np.float32)


class FakeSystem:
    """Open fake devices."""

    def __init__(self, clock, *, rate=24_000, echo=0.0, echo_s=0.06, skew=0.0):
        self.clock, self.rate, self.echo, self.echo_s, self.skew = clock, rate, echo, echo_s, skew
        self.output = self.input = None
        self.said = []
        self.openings = []
        self.refusal = None
        self.looked_again = 0

    def open(self, *, output, input, tape, position, block_ms, rate=None):  # noqa: A002
        if self.refusal is not None:
            raise DeviceError(self.refusal)
        if rate not in (None, self.rate):
            raise DeviceError(f"The loudspeaker refuses {rate} Hz.")
        assert self.output is None or self.output.is_closed
        self.openings.append((output, input, block_ms, position))
        self.output = FakeOutput(self.clock, self.rate, block_ms, tape, position, self.skew)
        self.input = FakeInput(self.clock, self.rate, self)
        return Streams(self.output, self.input, "fake speaker", "fake mic")

    def look_again(self):
        self.looked_again += 1

    def pump(self):
        self.output.pump()
        self.input.pump()

    def say(self, samples, at):
        """Say something near, 24 kHz."""
        self.said.append((at, samples))

    def heard_at(self, start, n, rate):
        heard = np.zeros(n)
        for at, samples in self.said:
            first = round((start - at) * rate)
            index = np.arange(first, first + n)
            fits = (index >= 0) & (index < len(samples))
            heard[fits] += samples[index[fits]]
        if self.echo and self.output.sounded:
            sounded = np.concatenate(self.output.sounded)
            zero = self.output.opened + self.output.late_s + LATENCY_S + self.echo_s
            index = np.round((start - zero) * rate).astype(int) + np.arange(n)
            fits = (index >= 0) & (index < len(sounded))
            heard[fits] += self.echo * sounded[index[fits]]
        return heard


class Rig:
    """Hold all parts together, and let time pass."""

    def __init__(self, *, rate=24_000, room=0.0, skew=0.0, **options):
        self.clock = ManualClock(100.0)
        self.system = FakeSystem(self.clock, rate=rate, echo=room, skew=skew)
        self.memory = SoundMemory(bytearray(SIZE))
        options = {"echo": None, "local_vad": False, **options}
        self.engine = Engine(self.memory, self.system, EngineOptions(**options), self.clock)
        self.speaker = HostSpeaker(self.memory, self.clock)
        self.microphone = HostMicrophone(self.memory)
        self.vad = LocalVad(self.memory)
        self.notices = []
        self.program_stalls = False
        self.step_s = 0.0
        """How often the engine looks; 0 is at every step of the rig."""
        self._looked = self.clock.now()

    def run(self, seconds):
        for _ in range(round(seconds / 0.0025)):
            self.clock.advance(0.0025)
            self.system.pump()
            if self.clock.now() >= self._looked + self.step_s:
                self._looked = self.clock.now()
                self.engine.step()
            self.notices += self.engine.take_notices()
            if not self.program_stalls:
                self.look()

    def look(self):
        """Do what the program does when it is woken."""
        self.speaker.look()
        self.vad.look()
        self.speaker.release()

    def sounded(self):
        """Return all that the loudspeaker has taken since it was opened."""
        return np.concatenate(self.system.output.sounded)

    def recorded(self):
        """Return what the microphone delivered: the time of each record, and the sound."""
        records = [self.memory.record(n) for n in range(self.memory.header.records)]
        return [r.time for r in records], np.concatenate([r.samples for r in records])
