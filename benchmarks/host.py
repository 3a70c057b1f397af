"""Measure the host's devices on PulseAudio null sinks: speech unbroken, cuts, heard positions, start, CPU."""

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import websockets

from benchmarks.ear import RATE as EAR_RATE
from benchmarks.ear import sounding
from benchmarks.figure import Figure
from benchmarks.host_cpu import cpu_pct
from benchmarks.host_deltas import delta, done
from benchmarks.host_heard import heard
from benchmarks.host_network import rebuffers_of_choppy_items
from benchmarks.sound_card import SoundCard, missing, sound_card
from benchmarks.sound_program import RATE, inserted_or_lost_ms, live, load, noise
from openai_realtime_api_utils import (
    SpeechId,
    TrackConfig,
    TrackConversation,
    hook_middlewares,
    host_audio,
    interruptable_audio_player,
)

SHORT = bool(os.environ.get("BENCH_SHORT"))
"""For the test suite: few trials, the same code."""
ITEMS, ITEM_S = (1, 4.0) if SHORT else (4, 5.0)
TRIALS = 6 if SHORT else 100
MOMENTS = 10 if SHORT else 100
CARD = "PulseAudio null sinks, 24 kHz, 6.7 ms blocks, engine in its own process"


def measure() -> Iterable[Figure]:
    """Measure on a sound card of its own; nothing where there is none."""
    if (reason := missing()) is not None:
        print(f"host: skipped; {reason}", file=sys.stderr)
        return
    with sound_card(echo_ms=None) as card:
        for kind in ("busy", "stall"):
            lost, starved, late_ms = asyncio.run(_lost(card, kind))
            peer = _lost_of_callbacks(card, kind)
            how = f"{ITEMS} items of {ITEM_S:g} s found in the sink's recording, first 0.5 s of each left out; {CARD}; "
            how += f"the machine starved the sink {starved} times; sounddevice callbacks lost {peer:.0f} ms of it"
            yield Figure(f"host.lost_ms_{kind}", lost, "ms", 0.0, how)
            if kind == "busy":
                how = f"99th percentile of {len(late_ms)} frames, from their last sample to the event loop; {CARD}"
                yield Figure("host.mic_late_ms_p99", float(np.percentile(late_ms, 99)), "ms", 30, how)
        yield from _barge_in(card)
        yield from heard(card, MOMENTS, CARD)
        items = 20 if SHORT else 200
        worst, ahead = rebuffers_of_choppy_items(items)
        how = f"{items} items of 8 s: gaps up to 300 ms, each followed by what was spoken in it, 1.2 times as fast as "
        how += "real time on average; manual clock"
        yield Figure("host.rebuffers_choppy", worst, "in an item", 1, f"most in one of {how}")
        how = f"in gaps that began with more than 300 ms received ahead, in all of {how}"
        yield Figure("host.rebuffers_ahead", ahead, "in all", 0, how)
        latency = asyncio.run(_start_latency(card))
        how = f"median of {len(latency)}: first delta to first sound in the sink's recording, 100 ms deltas each 50 ms"
        yield Figure("host.start_latency_ms", statistics.median(latency), "ms", 60, f"{how}; {CARD}")
        how = "CPU of engine and program while talking: AEC3, local VAD, StreamMic, AudioPlayer"
        seconds = 4.0 if SHORT else 20.0
        without = cpu_pct(seconds, screen=False)
        yield Figure("host.cpu_pct", without, "% of a core", 8, f"{how}; no screen; {CARD}")
        shown = cpu_pct(seconds, screen=True)
        yield Figure("host.cpu_screen_pct", shown, "% of a core", 15, f"{how}; talk's screen to a terminal; {CARD}")


async def _lost(card: SoundCard, kind: str) -> tuple[float, int, list[float]]:
    """Return the ms of speech inserted or lost, the sink's underruns, and how late each frame of the microphone was."""
    sound = noise(ITEMS * ITEM_S)
    late_ms: list[float] = []

    async def hear() -> None:
        async for frame in audio.microphone.frames():
            late_s = time.monotonic() - frame.time - len(frame.samples) / RATE
            late_ms.append(late_s * 1000)

    with host_audio() as audio, card.listen() as ear:
        hearing = asyncio.get_running_loop().create_task(hear())
        await asyncio.sleep(1.5)
        late_ms.clear()
        before = audio.stats
        for n in range(ITEMS):
            playback = audio.speaker.play(SpeechId(f"item_{n}"))
            playback.write(sound[round(n * ITEM_S * RATE) : round((n + 1) * ITEM_S * RATE)])
            playback.finish()
        await live(kind, ITEMS * ITEM_S + 0.3)
        starved = audio.stats.underruns - before.underruns
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
    return inserted_or_lost_ms(ear, sound, ITEM_S), starved, late_ms


def _lost_of_callbacks(card: SoundCard, kind: str) -> float:
    seconds = ITEM_S
    with card.listen() as ear:
        command = [sys.executable, "-m", "benchmarks.callback_player", kind, str(seconds)]
        subprocess.run(command, check=False, cwd=Path(__file__).parents[1], stderr=subprocess.DEVNULL)
    return max(0.0, seconds * 1000 - int(sounding(ear.samples).sum()) * 5)


class _Wire:
    """Be a connection that notes when each frame came."""

    def __init__(self, websocket: Any) -> None:
        self._websocket = websocket
        self.came = 0.0

    async def recv_bytes(self) -> bytes:
        data = await self._websocket.recv(decode=False)
        self.came = time.monotonic()
        return data

    async def send_raw(self, data: str) -> None:
        await self._websocket.send(data)

    async def close(self, *, code: int = 1000, reason: str = "") -> None:
        await self._websocket.close(code, reason)


def _barge_in(card: SoundCard) -> Iterable[Figure]:
    delays: list[float] = []
    inside: list[float] = []
    for kind in ("idle", "busy"):
        to_silence, to_cut = asyncio.run(_interrupt(card, kind, TRIALS))
        delays += to_silence
        inside += to_cut if kind == "idle" else []
    p50, p95 = np.percentile(delays, [50, 95])
    how = (
        f"{len(delays)} trials, half idle, half busy: speech_started sent by another process to the last sound in the "
    )
    how += f"sink's recording, 5 ms fade included; {CARD}"
    yield Figure("host.barge_in_ms_p50", float(p50), "ms", 25, how)
    yield Figure("host.barge_in_ms_p95", float(p95), "ms", 40, how)
    how = f"{len(inside)} trials, idle: frame received to the tape being cut"
    yield Figure("host.barge_in_inprocess_ms_p99", float(np.percentile(inside, 99)), "ms", 3, how)


async def _interrupt(card: SoundCard, kind: str, trials: int) -> tuple[list[float], list[float]]:
    command = [sys.executable, "-m", "benchmarks.barge_in_server", str(trials)]
    where = Path(__file__).parents[1]
    server = subprocess.Popen(command, cwd=where, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220 - nothing runs yet
    assert server.stdout is not None
    port = int(server.stdout.readline())
    config, conversation, inside = TrackConfig(), TrackConversation(), []
    work = load(kind)
    with host_audio() as audio, card.listen() as ear:
        async with websockets.connect(f"ws://127.0.0.1:{port}", max_size=None, ping_interval=None) as websocket:
            wire = _Wire(websocket)
            cut = [lambda _: inside.append((time.monotonic() - wire.came) * 1000)]
            with interruptable_audio_player(config, conversation, audio.speaker, on_interrupt_handlers=cut) as iap:
                async with hook_middlewares(wire, [config, conversation, iap]) as session:
                    session.send.spawn(_forever(kind, work), name="load")
                    await session.closed
        await asyncio.sleep(0.3)
    sent = [float(line) for line in server.stdout.read().split()]
    server.wait()
    sounds = sounding(ear.samples, window_ms=1)
    delays = []
    for t in sent:
        start = round(ear.index_at(t) * 1000 / EAR_RATE)
        window = sounds[start : start + 240]
        # The cut is where 100 ms of silence begin.
        for n in range(len(window) - 100):
            if not window[n : n + 100].any():
                delays.append(float(n))
                break
    return delays, inside


async def _forever(kind: str, work: Any) -> None:
    while True:
        work()
        await asyncio.sleep(0.01 if kind == "idle" else 0)


async def _start_latency(card: SoundCard) -> list[float]:
    from openai_realtime_api_utils import AudioPlayer

    latency = []
    with host_audio() as audio:
        await asyncio.sleep(1.5)
        tone = (8_000 * np.sin(2 * np.pi * 1000 * np.arange(RATE // 10) / RATE)).astype(np.int16)
        with card.listen() as ear:
            begun = []
            player = AudioPlayer(audio.speaker)
            for n in range(3 if SHORT else 20):
                begun.append(time.monotonic())
                for _ in range(4):
                    player.server_event_handler(delta(n, tone), {}, None)
                    await asyncio.sleep(0.05)
                player.server_event_handler(done(n), {}, None)
                await asyncio.sleep(0.5)
        sounds = sounding(ear.samples, window_ms=1)
        for t in begun:
            start = round(ear.index_at(t) * 1000 / EAR_RATE)
            latency.append(float(np.argmax(sounds[start : start + 400])))
    return latency
