"""Put a loudspeaker and a microphone into one room in memory, where the one hears the other."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from ..clock import Clock
from ..errors import AudioError, require
from ..ports import Frame
from .memory import MemorySpeaker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..ports import Samples


class Room:
    """Hold a loudspeaker, a microphone that hears its echo and some noise, and somebody who says things."""

    def __init__(
        self,
        clock: Clock,
        *,
        delay_ms: float = 40.0,
        gain: float = 0.1,
        noise: float = 0.0,
        rt60_s: float = 0.0,
        rate: int = 24_000,
        frame_ms: int = 20,
        seed: int = 0,
    ) -> None:
        """Make a room.

        Args:
            clock: what time in it goes by.
            delay_ms: how much later the microphone hears what the loudspeaker sounds.
            gain: how loud it hears that, as a factor; 0 is a headset.
            rt60_s: how long a sound takes to fall by 60 dB; 0 is a room that does not ring.
            noise: root mean square of the noise in the room, as a part of full scale.
            rate: samples per second of both.
            frame_ms: length of the microphone's frames.
            seed: the noise and the ringing follow from it.

        Raises:
            AudioError: a level or a delay is below 0.
            MissingExtraError: numpy is not installed.
        """
        for name, value in (("delay_ms", delay_ms), ("gain", gain), ("noise", noise), ("rt60_s", rt60_s)):
            if not value >= 0:
                raise AudioError(f"A room's {name} cannot be {value}: give 0 or more.")
        require("numpy", extra="audio", needed_by="Room")
        self.speaker = MemorySpeaker(clock, rate=rate)
        self.microphone = RoomMicrophone(
            clock,
            self.speaker,
            delay_s=delay_ms / 1000,
            gain=gain,
            noise=noise,
            rt60_s=rt60_s,
            frame_ms=frame_ms,
            seed=seed,
        )

    def say(self, samples: Samples) -> None:
        """Sound this at the microphone as soon as what was said before is out; int16 at the room's rate."""
        self.microphone.hear(samples)


class RoomMicrophone:
    """Hear what is said in a room, and what its loudspeaker sounds. Nobody need listen for time to pass in it."""

    def __init__(
        self,
        clock: Clock,
        speaker: MemorySpeaker,
        *,
        delay_s: float,
        gain: float,
        noise: float,
        rt60_s: float,
        frame_ms: int,
        seed: int,
    ) -> None:
        import numpy as np

        self.rate = speaker.rate
        self.is_open = False
        """Whether somebody listens."""
        self._clock = clock
        self._speaker = speaker
        self._reply = _reply(gain, rt60_s, self.rate, seed)
        self._reach_s = delay_s + (len(self._reply) - 1) / self.rate
        self._noise = noise * 32_768
        self._random = np.random.default_rng(seed)
        self._block = self.rate * frame_ms // 1000
        self._said: deque[tuple[float, Samples]] = deque()
        self._said_until = clock.now()

    @property
    def said_until(self) -> float:
        """When all that was said will be out."""
        return self._said_until

    def hear(self, samples: Samples) -> None:
        """Lay this behind what is being said."""
        import numpy as np

        start = max(self._clock.now(), self._said_until)
        self._said.append((start, np.array(samples, np.int16)))
        self._said_until = start + len(samples) / self.rate

    def frames(self) -> AsyncGenerator[Frame, None]:
        return self._frames()

    async def _frames(self) -> AsyncGenerator[Frame, None]:
        start, position = self._clock.now(), 0
        self.is_open = True
        try:
            while True:
                begins, position = start + position / self.rate, position + self._block
                await self._clock.sleep_until(start + position / self.rate)
                yield Frame(self._heard_from(begins), begins)
        finally:
            self.is_open = False

    def _heard_from(self, begins: float) -> Samples:
        """Return the block of sound that begins then, and is over by now."""
        import numpy as np

        sound = self._random.normal(0.0, self._noise, self._block) if self._noise else np.zeros(self._block)
        if self._reply[0]:
            sound += self._echo(begins)
        for at, samples in self._said:
            self._lay(sound, round((at - begins) * self.rate), samples)
        ends = begins + self._block / self.rate
        while self._said and self._said[0][0] + len(self._said[0][1]) / self.rate < ends:
            self._said.popleft()
        return np.clip(sound, -32_768, 32_767).astype(np.int16)

    def _echo(self, begins: float) -> NDArray[np.float64]:
        """Return what comes back of the loudspeaker in the block that begins then."""
        import numpy as np

        past = np.zeros(self._block + len(self._reply) - 1)
        far = self._speaker.played(begins - self._reach_s)
        self._lay(past, round((far.time - begins + self._reach_s) * self.rate), far.samples)
        return np.convolve(past, self._reply, "valid")

    @staticmethod
    def _lay(sound: NDArray[np.float64], at: int, more: NDArray[Any]) -> None:
        """Add sound that begins ``at`` samples after the beginning, or before it."""
        start, more = max(at, 0), more[max(-at, 0) :]
        part = sound[start : start + len(more)]
        part += more[: len(part)]


def _reply(gain: float, rt60_s: float, rate: int, seed: int) -> NDArray[np.float64]:
    """Return what the microphone hears of one loud sample: the sample, then a ringing half as strong that dies away."""
    import numpy as np

    tail = np.arange(round(rt60_s * rate))
    ringing = np.random.default_rng(seed + 1).standard_normal(len(tail)) * 10 ** (-3 * tail / max(1, len(tail)))
    strength = np.sqrt(np.sum(ringing**2)) or 1.0
    return np.concatenate(([gain], ringing * gain * 0.5 / strength))
