"""Speak the shipped questions anew with flite's slt voice: ``python tools/make_questions.py`` (needs ``flite``)."""

from __future__ import annotations

import io
import subprocess
import wave

import numpy as np

from openai_realtime_api_utils.audio.level import rms_dbfs
from openai_realtime_api_utils.audio.pcm import to_float, to_int16
from openai_realtime_api_utils.simulator import questions

RATE = 16_000
LEVEL_DBFS = -20.0
EDGE_S = 0.3
"""Silence before the first and after the last sentence."""


def spoken(sentence: str) -> np.ndarray:
    """Return a sentence as flite's slt says it, levelled."""
    command = ["flite", "-voice", "slt", "-t", sentence, "-o", "/dev/stdout"]
    said = subprocess.run(command, capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(said)) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
    return to_int16(to_float(samples) * 10 ** ((LEVEL_DBFS - rms_dbfs(samples)) / 20))


def silence(seconds: float) -> np.ndarray:
    """Return digital silence."""
    return np.zeros(int(seconds * RATE), np.int16)


def main() -> None:
    """Write every question beside the package's code."""
    for name, question in questions.QUESTIONS.items():
        parts = [silence(EDGE_S)]
        for sentence in question.sentences:
            parts += [spoken(sentence), silence(question.pause_s)]
        parts[-1] = silence(EDGE_S)
        samples = np.concatenate(parts)
        with wave.open(str(questions.path(name)), "wb") as sound:
            sound.setparams((1, 2, RATE, len(samples), "NONE", "not compressed"))
            sound.writeframes(samples.tobytes())
        print(f"{name}: {len(samples) / RATE:.1f} s, {rms_dbfs(samples):.1f} dBFS")


if __name__ == "__main__":
    main()
