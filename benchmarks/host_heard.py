"""Ask how much was heard at random moments, and compare it with what the sink's recording says; a peer is asked too."""

import asyncio
import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks import speed_peers
from benchmarks.figure import Figure
from benchmarks.sound_card import SoundCard
from benchmarks.sound_program import RATE, heard_at, live, noise
from openai_realtime_api_utils import SpeechId, host_audio

AGENTS = "openai_agents"


def heard(card: SoundCard, moments: int, where: str) -> Iterable[Figure]:
    """Measure ours and openai-agents' on the same trials."""
    ours: list[float] = []
    theirs: list[float] = []
    for kind in ("idle", "busy"):
        errors, agents = asyncio.run(_errors(card, kind, moments))
        ours += errors
        theirs += agents
    p50, p95 = np.percentile(np.abs(ours), [50, 95])
    how = (
        f"{len(ours)} random moments, half idle, half busy, with network stalls, underruns and the engine stopped for "
        f"150 ms at times, against the sink's recording; {where}"
    )
    yield Figure("host.heard_error_ms_p50", float(p50), "ms", 8, how)
    yield Figure("host.heard_error_ms_p95", float(p95), "ms", 15, how)
    if theirs:
        agents50, agents95 = np.percentile(np.abs(theirs), [50, 95])
        how = (
            "openai-agents' default tracker on the same trials, told each delta when it came, asked at the same moments"
        )
        yield Figure("heard.agents_error_ms_p50", float(agents50), "ms", float(p50), how, more_is_better=True)
        yield Figure("heard.agents_error_ms_p95", float(agents95), "ms", float(p95), how, more_is_better=True)


async def _errors(card: SoundCard, kind: str, moments: int) -> tuple[list[float], list[float]]:
    """Ask at random moments how much was heard of noise that comes in bursts."""
    rng = random.Random(3)
    seconds = moments * 0.12 + 2
    sound = noise(seconds * 2, seed=4)
    asked: list[tuple[float, int]] = []
    received: list[tuple[float, int]] = []
    with host_audio(echo=None, local_vad=False) as audio, card.listen() as ear:
        await asyncio.sleep(1.5)
        playback = audio.speaker.play(SpeechId("item"))
        start, fed = time.monotonic(), 0
        next_burst, next_question, next_stop = start, start + 1.0, start + 2.0

        def each() -> None:
            nonlocal fed, next_burst, next_question, next_stop
            now = time.monotonic()
            if now >= next_burst:
                burst = round(rng.uniform(0.1, 0.8) * RATE)
                playback.write(sound[fed : fed + burst])
                received.append((now, burst))
                fed += burst
                # Now and then so late that it runs dry.
                next_burst = now + burst / RATE * rng.choice((0.4, 0.6, 0.8, 1.0, 1.3))
            if now >= next_question:
                heard = playback.heard().samples
                asked.append((time.monotonic(), heard))
                next_question = now + rng.uniform(0.03, 0.2)
            if now >= next_stop and audio.engine_pid:
                os.kill(audio.engine_pid, signal.SIGSTOP)
                asyncio.get_running_loop().call_later(0.15, os.kill, audio.engine_pid, signal.SIGCONT)
                next_stop = now + 6.0

        await live(kind, seconds, each)
        playback.cancel()
        await asyncio.sleep(0.2)
    agents = _asked_of_agents(received, [t for t, _ in asked])
    errors, others = [], []
    for n, (t, heard) in enumerate(asked):
        truth = heard_at(ear, sound, t, near=heard)
        # What is silent at the moment has no place to be found: the question is asked where there is sound.
        if truth is not None:
            errors.append((heard - truth) / RATE * 1000)
            others += [agents[n] - truth / RATE * 1000] if agents else []
    return errors[:moments], others[:moments]


def _asked_of_agents(received: list[tuple[float, int]], asked: list[float]) -> list[float]:
    """Return where openai-agents takes playback to be, in ms; nothing where it cannot be installed."""
    if not speed_peers.made(AGENTS):
        return []
    python = speed_peers.ENVIRONMENTS / AGENTS / "bin" / "python"
    program = Path(__file__).parent / "peers" / "heard_openai_agents.py"
    trial = json.dumps({"received": received, "asked": asked})
    return json.loads(subprocess.run([python, program], input=trial, capture_output=True, text=True, check=True).stdout)
