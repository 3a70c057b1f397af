"""Be a room in memory: what its loudspeaker sounds comes back into its microphone, with what somebody says there."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from ..clock import Clock
from ..errors import require
from ..ports import Frame
from .memory import MemorySpeaker
from .pace import paced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..ports import Samples

_FRAME_MS = 20


class Room:
    """Hold a loudspeaker and a microphone that hear each other, on a clock; the same room every time it is made.

    For tests of programs that are interrupted, without a sound card: with ``cancel_echo(room.microphone, room.speaker,
    Aec3(24_000))``, or to see what happens without.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        delay_ms: float = 80.0,
        gain: float = 0.5,
        noise_dbfs: float = -70.0,
        rt60_s: float = 0.0,
        rate: int = 24_000,
    ) -> None:
        """Make a room.

        Args:
            clock: the time in it.
            delay_ms: from the loudspeaker to the microphone, the devices' own delay included.
            gain: of the direct sound.
            noise_dbfs: the level of the room's noise at the microphone.
            rt60_s: how long a sound takes to fall by 60 dB; 0 is a room without echo but the direct sound.
            rate: samples per second of both.

        Raises:
            MissingExtraError: numpy is not installed.
        """
        require("numpy", extra="audio", needed_by="Room")
        self.speaker = MemorySpeaker(clock, rate=rate)
        self.microphone = RoomMicrophone(self.speaker, clock, _reply(delay_ms, gain, rt60_s, rate), noise_dbfs)

    def say(self, samples: Samples) -> None:
        """Say something near the microphone, as soon as what was said before is out."""
        self.microphone.say(samples)


class RoomMicrophone:
    """Be the microphone of a ``Room``."""

    def __init__(self, speaker: MemorySpeaker, clock: Clock, reply: NDArray[Any], noise_dbfs: float) -> None:
        import numpy as np

        self.rate = speaker.rate
        self._speaker = speaker
        self._clock = clock
        self._block = self.rate * _FRAME_MS // 1000
        self._rng = np.random.default_rng(0)
        self._noise = 32_768 * 10 ** (noise_dbfs / 20)
        size = 1 << (len(reply) + self._block - 1).bit_length()
        self._spectrum = np.fft.rfft(reply, size)
        self._size = size
        self._ringing = np.zeros(size)
        self._said: deque[Samples] = deque()

    def say(self, samples: Samples) -> None:
        """Put something near."""
        import numpy as np

        self._said.append(np.array(samples, np.int16))

    def frames(self) -> AsyncIterator[Frame]:
        self._heard_to = self._clock.now()
        return paced(self._next_block, self.rate, self._clock)

    def _next_block(self) -> Samples:
        """Return what is heard of the block that begins now: of what sounded before, for it came later here."""
        import numpy as np

        start = self._heard_to
        self._heard_to += self._block / self.rate
        before = self._speaker.played(start - self._block / self.rate)
        sounded = before.samples[: self._block].astype(np.float64)
        sounded = np.concatenate((np.zeros(self._block - len(sounded)), sounded))
        self._ringing = np.concatenate((self._ringing[self._block :], np.zeros(self._block)))
        self._ringing += np.fft.irfft(np.fft.rfft(sounded, self._size) * self._spectrum, self._size)
        heard = self._ringing[: self._block] + self._noise * self._rng.standard_normal(self._block)
        filled = 0
        while self._said and filled < self._block:
            chunk = self._said.popleft()
            taken = chunk[: self._block - filled]
            heard[filled : filled + len(taken)] += taken
            filled += len(taken)
            if len(taken) < len(chunk):
                self._said.appendleft(chunk[len(taken) :])
        return np.clip(np.rint(heard), -32_768, 32_767).astype(np.int16)


def _reply(delay_ms: float, gain: float, rt60_s: float, rate: int) -> NDArray[Any]:
    """Return what the microphone hears of one loud sample, from a block after it on."""
    import numpy as np

    delay = max(0, round((delay_ms - _FRAME_MS) * rate / 1000))
    tail = np.arange(round(rt60_s * rate))
    reply = np.zeros(delay + 1 + len(tail))
    reply[delay] = gain
    if len(tail):
        ring = np.random.default_rng(1).standard_normal(len(tail)) * 10 ** (-3 * tail / len(tail))
        reply[delay + 1 :] = ring * gain * 0.5 / np.sqrt(np.sum(ring**2))
    return reply
