"""Measure what tools cost the voice: calls that sleep and calls that spin, while speech plays and a microphone streams.

The service runs in a process of its own; speech and microphone are in memory, on the machine's clock.
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from openai import AsyncOpenAI

from benchmarks.figure import Figure
from benchmarks.interleaving import ACTIONS, counts, play, violations
from openai_realtime_api_utils import (
    ArbitrateResponses,
    AudioPlayer,
    CallTools,
    GiveClientEventId,
    MemoryMicrophone,
    MemorySpeaker,
    StreamMic,
    SystemClock,
    TrackConversation,
    hook_middlewares,
)
from openai_realtime_api_utils.simulator import Call, Say, ScriptedEngine, serve, synthetic_speech

PLAYS = int(os.environ.get("INTERLEAVINGS", "10000"))
CALLS = 20
SPINNING = 4
SPIN_S = 1.5
_TICK_S = 0.005
_STORY = "It goes on and on, and nobody knows where it may end. " * 5
"""Some twelve seconds of speech: more than the longest call takes."""


@dataclass
class Run:
    """Be what one session came to."""

    lag_ms_p99: float
    append_late_ms: float
    calls_s: float
    lost_ms: float


def measure() -> Iterable[Figure]:
    """Measure the three kinds of session, then the arbiter."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.tools"], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    ) as server:
        url = (server.stdout.readline() if server.stdout else "").strip()
        try:
            asyncio.run(_session(url, "nothing"))  # which pays for what is loaded and built once
            idle = asyncio.run(_session(url, "nothing"))
            asleep = asyncio.run(_session(url, "sleep"))
            busy = asyncio.run(_session(url, "spin"))
        finally:
            server.terminate()
    how = f"{CALLS} calls of 1 s time.sleep in flight, speech playing, microphone streaming, service in another process"
    yield Figure("tools.twenty_calls_s", asleep.calls_s, "s", 1.3, how)
    yield Figure(
        "tools.loop_lag_ms_p99",
        asleep.lag_ms_p99,
        "ms",
        10,
        f"{how}; overshoot of {_TICK_S * 1000:g} ms sleeps meanwhile",
    )
    yield Figure(
        "tools.append_late_ms_max", asleep.append_late_ms, "ms", 20, f"{how}; behind the microphone's own time"
    )
    yield Figure("tools.lost_ms", asleep.lost_ms, "ms", 0, f"{how}; samples that are not as they were said")
    how = (
        f"{SPINNING} calls in pure-Python loops of {SPIN_S} s, which take turns: all answered after "
        f"{busy.calls_s:.2f} s; otherwise the same; the idle session's p99 is {idle.lag_ms_p99:.2f} ms"
    )
    yield Figure("tools.busy_lag_ms_p99", busy.lag_ms_p99, "ms", 10, how)
    yield Figure("tools.busy_lag_vs_idle", busy.lag_ms_p99 / idle.lag_ms_p99, "of idle", 3, how)
    yield Figure("tools.busy_lost_ms", busy.lost_ms, "ms", 0, f"{how}; samples that are not as they were said")
    tally = _arbiter()
    told = ", ".join(f"{count} {what}" for what, count in tally.items())
    how = f"0 to 300 ms of latency each way, against the simulator: {told}"
    yield Figure("tools.arbiter_errors", tally["broken promises"], "broken promises", 0, how)
    crossed = tally["requests that crossed one of those on the wire"]
    yield Figure("tools.arbiter_crossed", crossed, "on the wire", 1, how, more_is_better=True)


async def _session(url: str, kind: str) -> Run:
    clock, ended, begun = SystemClock(), asyncio.Event(), Counter[str]()
    speaker, mic = MemorySpeaker(clock), MemoryMicrophone(clock)
    player = AudioPlayer(speaker, clock=clock)
    tools = CallTools([nap, spin], max_parallel=CALLS, clock=clock)
    appends, lags = Appends(), list[tuple[float, float]]()
    moments: dict[str, float] = {}

    class Watch:
        def server_event_handler(self, event: Any, metadata: Any, connection: Any) -> Any:
            begun[event.type] += 1
            if event.type == "response.output_item.done" and event.item.type == "function_call":
                moments.setdefault("called", time.perf_counter())
            return event, metadata

        def client_event_handler(self, event: Any, metadata: Any, connection: Any) -> Any:
            item = event.get("item") or {}
            if item.get("type") == "function_call_output":
                moments["answered"] = time.perf_counter()
            return event, metadata

    player.register_on_speech_end_handler(lambda _: ended.set())
    async with AsyncOpenAI(api_key="any", websocket_base_url=url).realtime.connect(model=kind) as connection:
        stream = StreamMic(mic, clock=clock)
        middlewares = [GiveClientEventId(), ArbitrateResponses(clock=clock), TrackConversation(), tools, player, stream]
        async with hook_middlewares(connection, [*middlewares, appends, Watch()], clock=clock) as session:
            turns = {"audio": {"input": {"turn_detection": None}}}
            await session.send(
                {"type": "session.update", "session": {"type": "realtime", "instructions": kind, **turns}}
            )
            await session.send({"type": "response.create"})
            ticking = asyncio.get_running_loop().create_task(_tick(lags))
            await ended.wait()
            ticking.cancel()
            heard = speaker.sounded()
    called, answered = moments.get("called", 0.0), moments.get("answered", float("inf"))
    meanwhile = sorted(lag for at, lag in lags if called <= at <= answered)
    return Run(meanwhile[len(meanwhile) * 99 // 100] * 1000, appends.late_ms, answered - called, _lost_ms(heard))


def _lost_ms(sounded: Any) -> float:
    """Return how much of the first speech did not sound, or not in its place: sample by sample."""
    said = synthetic_speech(_STORY)
    start = int(np.flatnonzero(sounded)[0]) - int(np.flatnonzero(said)[0])
    heard = sounded[max(start, 0) :][: len(said)]
    same = np.count_nonzero(heard == said[: len(heard)])
    return float(len(said) - same) / 24


async def _tick(lags: list[tuple[float, float]]) -> None:
    while True:
        start = time.perf_counter()
        await asyncio.sleep(_TICK_S)
        lags.append((start, time.perf_counter() - start - _TICK_S))


class Appends:
    """See how far what is sent is behind the microphone's own time."""

    def __init__(self) -> None:
        self.late_ms = 0.0
        self._sent_ms = 0.0
        self._start: float | None = None

    def client_event_handler(self, event: Any, metadata: Any, connection: Any) -> Any:
        if event["type"] == "input_audio_buffer.append":
            now = time.perf_counter() * 1000
            self._start = now if self._start is None else self._start
            self._sent_ms += len(event["audio"]) * 3 / 4 / 48
            self.late_ms = max(self.late_ms, now - self._start - self._sent_ms + 20)
        return event, metadata


def nap() -> str:
    """Sleep."""
    time.sleep(1)
    return "rested"


def spin() -> int:
    """Work."""
    until, n = time.perf_counter() + SPIN_S, 0
    while time.perf_counter() < until:
        n += 1
    return n


def _arbiter() -> Counter[str]:
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        return sum(processes.map(_play, range(PLAYS), chunksize=100), Counter())


def _play(seed: int) -> Counter[str]:
    chance = random.Random(seed)
    script = [(chance.uniform(0, 0.8), chance.choice(ACTIONS)) for _ in range(chance.randint(1, 14))]
    latency_s = (chance.uniform(0, 0.3), chance.uniform(0, 0.3))
    outcome = play(script, latency_s=latency_s, interrupts=chance.random() < 0.7, seed=seed)
    return Counter(counts(outcome)) + Counter({"broken promises": len(violations(outcome))})


def _reply(turn: Any) -> Any:
    calls = {"sleep": [Call("nap")] * CALLS, "spin": [Call("spin")] * SPINNING}
    is_first = not any(item["type"] == "function_call_output" for item in turn.items)
    return [Say(_STORY, "commentary"), *calls.get(turn.instructions, [])] if is_first else "Done."


async def _serve(make: Callable[[], ScriptedEngine]) -> None:
    async with serve(make) as server:
        print(server.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(lambda: ScriptedEngine(replies={"": _reply})))
