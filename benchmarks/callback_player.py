"""Play noise by a Python callback of ``sounddevice`` in a process under a load: what the engine is compared with."""

import asyncio
import sys

from benchmarks.sound_program import RATE, live, noise


def main(kind: str, seconds: float) -> None:
    """Play for so long."""
    import sounddevice

    sound, position = noise(seconds).tobytes(), 0

    def callback(out, frames, *_):
        nonlocal position
        piece = sound[position : position + 2 * frames]
        out[:] = piece + b"\0" * (2 * frames - len(piece))
        position += 2 * frames

    with sounddevice.RawOutputStream(
        samplerate=RATE, blocksize=RATE // 50, channels=1, dtype="int16", latency="low", callback=callback
    ):
        asyncio.run(live(kind, seconds + 0.5))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
