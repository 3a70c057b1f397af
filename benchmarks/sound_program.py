"""Keep a program busy, make sound whose place can be found in a recording, and find it."""

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.ear import RATE as EAR_RATE
from benchmarks.ear import Ear
from openai_realtime_api_utils.host.wav_reader import read_wav
from openai_realtime_api_utils.simulator import questions

RATE = 24_000
SENTENCES = (
    "Good morning, thank you for calling; I can help you with your booking today.",
    "The weather tomorrow will be mostly sunny, with a high of twenty-two degrees.",
    "Let me look that up for you, it should only take a moment.",
    "Your order has been shipped, and will arrive on Thursday afternoon.",
    "Would you like me to send a confirmation to your address?",
    "There are three restaurants nearby that are open until midnight.",
)
VOICES = ("rms", "awb", "slt")
PAUSES_S = (0.25, 0.25, 1.0)


def load(kind: str) -> Callable[[], None]:
    """Return what a loop does between two turns: ``idle`` nothing, ``busy`` 4 ms of Python, ``stall`` 0.4 s of C."""
    if kind == "busy":
        filler = {"type": "x", "audio": "A" * 20_000}

        def work() -> None:
            json.loads(json.dumps(filler))
            total = 0
            for n in range(40_000):
                total += n

        return work
    if kind == "stall":
        large = json.dumps(list(range(2_500_000)))
        return lambda: json.loads(large)
    return lambda: None


async def live(kind: str, seconds: float, each: Callable[[], None] = lambda: None) -> None:
    """Run an event loop under a load for a while."""
    work = load(kind)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        work()
        each()
        await asyncio.sleep({"idle": 0.01, "busy": 0, "stall": 0.2}[kind])


def noise(seconds: float, seed: int = 1) -> np.ndarray:
    """Return noise, each tenth of a second of which is found in a recording of it."""
    return (np.random.default_rng(seed).standard_normal(round(seconds * RATE)) * 3_000).astype(np.int16)


def place_of(piece: np.ndarray, sound: np.ndarray, near: int, reach: int) -> int | None:
    """Return where a piece lies in a sound, within ``reach`` of ``near``; None if it is not there."""
    start = max(0, near - reach)
    part = sound[start : near + reach + len(piece)].astype(np.float64)
    if len(part) < len(piece) or np.std(piece) < 300:
        return None
    size = 1 << (len(part) + len(piece)).bit_length()
    match = np.fft.irfft(np.fft.rfft(part, size) * np.conj(np.fft.rfft(piece.astype(np.float64), size)), size)
    best = int(np.argmax(match[: len(part) - len(piece) + 1]))
    there = part[best : best + len(piece)]
    likeness = match[best] / (np.linalg.norm(there) * np.linalg.norm(piece) + 1e-9)
    return start + best if likeness > 0.5 else None


def heard_at(ear: Ear, sound: np.ndarray, t: float, near: int | None = None) -> float | None:
    """Return how far a sound had sounded at a time, in its own samples, by the recording."""
    end = int(ear.index_at(t))
    piece = ear.samples[max(0, end - EAR_RATE // 20) : end : 2]
    place = place_of(piece, sound, len(sound) // 2 if near is None else near, len(sound) if near is None else RATE // 2)
    return None if place is None else place + len(piece)


def inserted_or_lost_ms(ear: Ear, sound: np.ndarray, item_s: float, skipped_s: float = 0.5) -> float:
    """Return by how much the recording is out of step with what was sent, summed over all its steps.

    The first half second of each item of ``item_s`` is not counted.
    """
    recording = ear.samples[::2]
    loud = np.flatnonzero(np.abs(recording) > 500)
    if not len(loud):
        return len(sound) / RATE * 1000
    start, window = int(loud[0]), RATE // 20
    offset: int | None = None
    total = 0
    for at in range(0, len(sound) - window, window):
        if (at / RATE) % item_s < skipped_s:
            offset = None
            continue
        place = place_of(sound[at : at + window], recording, start + at + (offset or 0), RATE // 2)
        if place is None:
            total += window
            continue
        now = place - start - at
        if offset is not None and abs(now - offset) > 12:
            total += abs(now - offset)
        offset = now
    return total / RATE * 1000


def assistant(seconds: float) -> np.ndarray:
    """Return an assistant's speech at -22.6 dBFS, with pauses; from flite, three voices, where installed."""
    if shutil.which("flite"):
        said = [_spoken(sentence, voice) for voice in VOICES for sentence in SENTENCES]
    else:
        said = [read_wav(questions.path())]
    pauses = [np.zeros(round(PAUSES_S[n % len(PAUSES_S)] * RATE), np.int16) for n in range(len(said))]
    once = np.concatenate([part for pair in zip(said, pauses, strict=True) for part in pair]).astype(np.float64)
    level = np.sqrt(np.mean(once[np.abs(once) > 50] ** 2))
    once = np.clip(once * (32_768 * 10 ** (-22.6 / 20) / level), -32_000, 32_000)
    return np.tile(once, int(seconds * RATE / len(once)) + 1)[: round(seconds * RATE)].astype(np.int16)


def stop_word() -> np.ndarray:
    """Return somebody saying "stop", as loud as the assistant's echo."""
    word = _spoken("Stop!", "slt") if shutil.which("flite") else read_wav(questions.path())
    word = word[np.flatnonzero(np.abs(word) > 300)[0] :].astype(np.float64)
    level = np.sqrt(np.mean(word[np.abs(word) > 50] ** 2))
    return np.clip(word * (32_768 * 10 ** (-22.6 / 20) / level), -32_000, 32_000).astype(np.int16)


def _spoken(sentence: str, voice: str) -> np.ndarray:
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", file.name], check=True)
        return read_wav(Path(file.name))
