"""Measure the host's devices on PulseAudio null sinks: speech unbroken, cuts, heard positions, start, CPU."""

import asyncio
import os
import random
import signal
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
from benchmarks.host_network import rebuffers_of_choppy_items
from benchmarks.sound_card import SoundCard, missing, sound_card
from benchmarks.sound_program import RATE, heard_at, inserted_or_lost_ms, live, load, noise
from openai_realtime_api_utils import (
    SpeechId,
    StreamMic,
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
CARD = "PulseAudio null sinks, 24 kHz, 5 ms blocks, engine in its own process"


def measure() -> Iterable[Figure]:
    """Measure on a sound card of its own; nothing where there is none."""
    if (reason := missing()) is not None:
        print(f"host: skipped; {reason}", file=sys.stderr)
        return
    with sound_card(echo_ms=None) as card:
        for kind in ("busy", "stall"):
            lost, starved = asyncio.run(_lost(card, kind))
            peer = _lost_of_callbacks(card, kind)
            how = f"{ITEMS} items of {ITEM_S:g} s found in the sink's recording, first 0.5 s of each left out; {CARD}; "
            how += f"the machine starved the sink {starved} times; sounddevice callbacks lost {peer:.0f} ms of it"
            yield Figure(f"host.lost_ms_{kind}", lost, "ms", 0.0, how)
        yield from _barge_in(card)
        yield from _heard(card)
        worst, of = rebuffers_of_choppy_items(20 if SHORT else 200)
        how = f"most in one of {of} items of 8 s: gaps up to 300 ms, each followed by what was spoken in it, "
        how += "1.2 times as fast as real time on average; manual clock"
        yield Figure("host.rebuffers_choppy", worst, "in an item", 1, how)
        latency = asyncio.run(_start_latency(card))
        how = f"median of {len(latency)}: first delta to first sound in the sink's recording, 100 ms deltas each 50 ms"
        yield Figure("host.start_latency_ms", statistics.median(latency), "ms", 60, f"{how}; {CARD}")
        how = "CPU of engine and program while talking: AEC3, local VAD, StreamMic, AudioPlayer; no screen"
        yield Figure("host.cpu_pct", asyncio.run(_cpu_pct()), "% of a core", 8, f"{how}; {CARD}")


async def _lost(card: SoundCard, kind: str) -> tuple[float, int]:
    sound = noise(ITEMS * ITEM_S)
    with host_audio() as audio, card.listen() as ear:
        await asyncio.sleep(1.5)
        before = audio.stats
        for n in range(ITEMS):
            playback = audio.speaker.play(SpeechId(f"item_{n}"))
            playback.write(sound[round(n * ITEM_S * RATE) : round((n + 1) * ITEM_S * RATE)])
            playback.finish()
        await live(kind, ITEMS * ITEM_S + 0.3)
        starved = audio.stats.underruns - before.underruns
    return inserted_or_lost_ms(ear, sound, ITEM_S), starved


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


def _heard(card: SoundCard) -> Iterable[Figure]:
    errors: list[float] = []
    others: list[float] = []
    for kind in ("idle", "busy"):
        ours, theirs = asyncio.run(_heard_errors(card, kind))
        errors += ours
        others += theirs
    p50, p95 = np.percentile(np.abs(errors), [50, 95])
    clock50, clock95 = np.percentile(np.abs(others), [50, 95])
    how = (
        f"{len(errors)} random moments, half idle, half busy, with network stalls, underruns and the engine stopped for"
    )
    how += (
        f" 150 ms at times, against the sink's recording; {CARD}; a wall clock from the first delta (what openai-agents"
    )
    how += f" goes by where nothing else is given): {clock50:.0f} and {clock95:.0f} ms"
    yield Figure("host.heard_error_ms_p50", float(p50), "ms", 8, how)
    yield Figure("host.heard_error_ms_p95", float(p95), "ms", 15, how)


async def _heard_errors(card: SoundCard, kind: str) -> tuple[list[float], list[float]]:
    """Ask at random moments how much was heard of noise that comes in bursts, and compare."""
    rng = random.Random(3)
    seconds = MOMENTS * 0.12 + 2
    sound = noise(seconds * 2, seed=4)
    asked: list[tuple[float, int, float]] = []
    stopped: list[float] = []
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
                fed += burst
                # Now and then so late that it runs dry.
                next_burst = now + burst / RATE * rng.choice((0.4, 0.6, 0.8, 1.0, 1.3))
            if now >= next_question:
                heard = playback.heard().samples
                asked.append((time.monotonic(), heard, min((now - start) * RATE, fed)))
                next_question = now + rng.uniform(0.03, 0.2)
            if now >= next_stop and audio.engine_pid:
                os.kill(audio.engine_pid, signal.SIGSTOP)
                asyncio.get_running_loop().call_later(0.15, os.kill, audio.engine_pid, signal.SIGCONT)
                stopped.append(now)
                next_stop = now + 6.0

        await live(kind, seconds, each)
        playback.cancel()
        await asyncio.sleep(0.2)
    errors, others = [], []
    for t, heard, by_clock in asked:
        truth = heard_at(ear, sound, t, near=heard)
        # What is silent at the moment has no place to be found: the question is asked where there is sound.
        if truth is not None:
            errors.append((heard - truth) / RATE * 1000)
            others.append((by_clock - truth) / RATE * 1000)
    return errors[:MOMENTS], others[:MOMENTS]


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
                    player.server_event_handler(_delta(n, tone), {}, None)
                    await asyncio.sleep(0.05)
                player.server_event_handler(_done(n), {}, None)
                await asyncio.sleep(0.5)
        sounds = sounding(ear.samples, window_ms=1)
        for t in begun:
            start = round(ear.index_at(t) * 1000 / EAR_RATE)
            latency.append(float(np.argmax(sounds[start : start + 400])))
    return latency


def _delta(n: int, samples: np.ndarray) -> Any:
    import base64

    from openai_realtime_api_utils.events import decode

    return decode(
        '{"type": "response.output_audio.delta", "event_id": "e", "response_id": "r", "output_index": 0, '
        f'"content_index": 0, "item_id": "item_{n}", "delta": "{base64.b64encode(samples.tobytes()).decode()}"}}'
    )


def _done(n: int) -> Any:
    from openai_realtime_api_utils.events import decode

    return decode(
        '{"type": "response.output_audio.done", "event_id": "e", "response_id": "r", "output_index": 0, '
        f'"content_index": 0, "item_id": "item_{n}"}}'
    )


class _Nowhere:
    """Be a connection that takes everything."""

    def __init__(self) -> None:
        self._end = asyncio.Event()
        self._first = [b'{"type": "session.created", "event_id": "e", "session": {"type": "realtime"}}']

    async def recv_bytes(self) -> bytes:
        if self._first:
            return self._first.pop()
        await self._end.wait()
        raise websockets.ConnectionClosedOK(None, None)

    async def send_raw(self, data: str) -> None:
        return

    async def close(self, *, code: int = 1000, reason: str = "") -> None:
        self._end.set()


async def _cpu_pct() -> float:
    """Return the CPU time of both processes while speech sounds and the microphone streams."""
    from openai_realtime_api_utils import AudioPlayer

    seconds = 4.0 if SHORT else 20.0
    with host_audio() as audio:
        player, mic = AudioPlayer(audio.speaker), StreamMic(audio.microphone)
        connection = _Nowhere()
        async with hook_middlewares(connection, [player, mic]):
            await asyncio.sleep(2.0)
            piece = noise(0.2)
            begun, start = _cpu_s(os.getpid()) + _cpu_s(audio.engine_pid), time.monotonic()
            while time.monotonic() < start + seconds:
                player.server_event_handler(_delta(0, piece), {}, None)
                await asyncio.sleep(0.19)
            used = _cpu_s(os.getpid()) + _cpu_s(audio.engine_pid) - begun
            elapsed = time.monotonic() - start
            await connection.close()
    return 100 * used / elapsed


def _cpu_s(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
