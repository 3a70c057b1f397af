"""Talk for an hour of the clock in one session, and print how much memory it takes after each ten minutes, in MB.

Ten minutes in, everything that is bounded is full.
"""

import asyncio
import json
from pathlib import Path

import numpy as np
import pybase64

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator import ScriptedEngine, connect, synthetic_speech

FRAME = 480
MINUTES = 59
"""The session itself ends after 60."""


async def main(clock: ManualClock) -> list[float]:
    """Say something every ten seconds, be answered, and read everything."""
    sound = np.concatenate((synthetic_speech("What do you know about this?"), np.zeros(240_000, np.int16)))[:240_000]
    appends = [pybase64.b64encode(piece.tobytes()).decode() for piece in sound.reshape(-1, FRAME)]
    taken: list[float] = []
    async with connect(
        ScriptedEngine({"": "I have looked it up, and this is what I found."}), clock=clock
    ) as connection:

        async def read() -> None:
            while True:
                await connection.recv_bytes()

        reading = asyncio.create_task(read())
        for n in range(MINUTES * 60 * 50):
            await connection.input_audio_buffer.append(audio=appends[n % len(appends)])
            await clock.sleep_until((n + 1) * 0.02)
            if n % 30_000 == 29_999:
                taken.append(resident_mb())
        taken.append(resident_mb())
        reading.cancel()
    return taken


def resident_mb() -> float:
    """Return the memory that this process has, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1000
    raise OSError("This system does not tell how much memory a process has.")


if __name__ == "__main__":
    clock = ManualClock()
    print(json.dumps(fast_forward.run(main(clock), clock)))
