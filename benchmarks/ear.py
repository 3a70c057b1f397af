"""Record what a sink sounds, and when: in a process of its own, so that a busy program under test cannot disturb it."""

import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

RATE = 48_000
_STAMP = struct.Struct("<dq")


class Ear:
    """Listen until ``stop``; then ``samples`` are what sounded, and ``time_of`` is when each did."""

    def __init__(self, path: Path, source: str, environment: Mapping[str, str]) -> None:
        self._path = path
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), str(path), source], env=dict(environment), stdin=subprocess.PIPE
        )
        while not (path.with_suffix(".times").exists() and path.with_suffix(".times").stat().st_size):
            if self._process.poll() is not None:
                raise RuntimeError(f"Nothing can be heard of {source}.")
            time.sleep(0.01)
        self.samples = np.zeros(0, np.int16)
        self._zero = 0.0

    def stop(self) -> None:
        """Listen no more, and read what was heard."""
        if self._process.poll() is None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(10)
        self.samples = np.fromfile(self._path.with_suffix(".raw"), "<i2")
        stamps = list(_STAMP.iter_unpack(self._path.with_suffix(".times").read_bytes()))
        # Chunks come late, never early: the earliest tell when sound was rendered. A tenth, lest one is a fluke.
        offsets = sorted(t - n / RATE for t, n in stamps[len(stamps) // 10 :])
        self._zero = offsets[len(offsets) // 50] if offsets else 0.0

    def time_of(self, index: float) -> float:
        """Return when a sample was sounded, in seconds of the monotonic clock."""
        return self._zero + index / RATE

    def index_at(self, t: float) -> float:
        """Return which sample was sounded at a time."""
        return (t - self._zero) * RATE


def sounding(samples: np.ndarray, window_ms: int = 5, level: float = 300.0) -> np.ndarray:
    """Return for each window whether there was sound in it."""
    size = RATE * window_ms // 1000
    windows = samples[: len(samples) // size * size].reshape(-1, size).astype(np.float64)
    return np.sqrt((windows**2).mean(axis=1)) > level


def silent_inside_ms(samples: np.ndarray, window_ms: int = 5) -> int:
    """Return how much silence lies between the first and the last sound."""
    windows = sounding(samples, window_ms)
    where = np.flatnonzero(windows)
    return 0 if not len(where) else int((~windows[where[0] : where[-1] + 1]).sum()) * window_ms


def main(path: str, source: str) -> None:
    """Be the process that listens."""
    command = ["parec", "--raw", "--format=s16le", f"--rate={RATE}", "--channels=1", "--latency-msec=5", "-d", source]
    recorder = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert recorder.stdout is not None
    import threading

    threading.Thread(target=lambda: (sys.stdin.buffer.read(), recorder.terminate()), daemon=True).start()
    count = 0
    target = Path(path)
    with target.with_suffix(".raw").open("wb", 0) as raw, target.with_suffix(".times").open("wb", 0) as times:
        while chunk := recorder.stdout.read1(1 << 16):  # type: ignore[attr-defined]
            count += len(chunk) // 2
            times.write(_STAMP.pack(time.monotonic(), count))
            raw.write(chunk)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
