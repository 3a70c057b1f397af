"""Read and measure WAV files with the standard library, apart from the code that wrote them."""

import math
import wave
from pathlib import Path

import numpy as np


def read_wav(path: Path) -> tuple[int, np.ndarray]:
    """Return the rate and the samples of a mono 16-bit file; fails if it is not a whole one."""
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        assert len(samples) == file.getnframes()
        return file.getframerate(), samples


def dbfs(samples: np.ndarray) -> float:
    """Return the level of samples, in dB below full scale."""
    return 20 * math.log10(max(1e-9, float(np.sqrt(np.mean((samples / 32768.0) ** 2)))))
