"""Put one stack to one job, in the stack's own environment, and print what it took as one line of JSON.

    python benchmarks/peers/drive.py STACK JOB URL [NUMBER] [SECONDS]

Needs nothing but the standard library and what the stack itself imports. A stack is a module beside this one with an
``async def begin(url, told)`` that connects, receives for ever in the background, and returns a ``Session``. It tells
``told.event()`` of each server event, ``told.audio(pcm)`` of each piece of speech in bytes, ``told.interrupted()``
where an application would silence its loudspeaker, and ``told.end(event_id)`` of the event that ends a replay.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import itertools
import json
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

PCM_20_MS = bytes(range(240)) * 4
WARM_EVENTS = 700
WARM_APPENDS = 500


@dataclass
class Session:
    """Be one open connection of a stack."""

    append: Callable[[], Awaitable[Any]]
    """Sends 20 ms of sound."""
    close: Callable[[], Awaitable[Any]]


@dataclass
class Told:
    """Count what a stack tells."""

    events: int = 0
    pcm: int = 0
    began: float = 0.0
    cpu_s: float = 0.0
    interruptions: list[int] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    end_id: str = ""

    def event(self) -> None:
        self.events += 1
        if self.events == WARM_EVENTS:
            settle()
            self.began = time.process_time()

    def audio(self, pcm: Any) -> None:
        self.pcm += len(pcm)

    def interrupted(self) -> None:
        self.interruptions.append(time.monotonic_ns())

    def end(self, event_id: str = "") -> None:
        self.cpu_s = time.process_time() - self.began
        self.end_id = event_id
        self.ended.set()


async def receive(stack: Any, url: str, *_: Any) -> dict[str, Any]:
    """Measure the CPU time per server event, the socket never empty."""
    told = Told()
    session = await stack.begin(url, told)
    await asyncio.wait_for(told.ended.wait(), 120)
    await session.close()
    return {"us": told.cpu_s / (told.events - WARM_EVENTS) * 1e6, "events": told.events, "pcm": told.pcm}


async def append(stack: Any, url: str, number: int, *_: Any) -> dict[str, Any]:
    """Measure the CPU time per append of 20 ms, one awaited after the other."""
    session = await stack.begin(url, Told())
    await asyncio.sleep(0.3)
    for _ in range(WARM_APPENDS):
        await session.append()
    settle()
    began = time.process_time()
    for _ in range(number):
        await session.append()
    taken = time.process_time() - began
    await session.close()
    return {"us": taken / number * 1e6}


async def interrupt(stack: Any, url: str, *_: Any) -> dict[str, Any]:
    """Measure the time from the server's write of speech_started to where an application would fall silent."""
    told = Told()
    session = await stack.begin(url, told)
    await asyncio.wait_for(told.ended.wait(), 120)
    written = [int(at) for at in told.end_id.split(",")]
    ms = []
    for at, following in zip(written, [*written[1:], 1 << 62], strict=True):
        heard = [t for t in told.interruptions if at <= t < following]
        if heard:
            ms.append((heard[0] - at) / 1e6)
    await session.close()
    return {"ms": ms, "trials": len(written)}


async def sessions(stack: Any, url: str, number: int, seconds: float) -> dict[str, Any]:
    """Measure many sessions in real time, each sending 50 appends a second: CPU time, and how late the loop is.

    One timer feeds all sessions, a fifth of them at a time: where sound comes from is no part of any stack.
    """
    told = Told()
    opened = [await stack.begin(url, told) for _ in range(number)]
    loop = asyncio.get_running_loop()
    appended = 0

    async def speak() -> None:
        nonlocal appended
        due = loop.time()
        for turn in itertools.cycle(range(5)):
            for session in opened[turn::5]:
                await session.append()
                appended += 1
            due += 0.004
            await asyncio.sleep(max(0.0, due - loop.time()))

    speaking = loop.create_task(speak())
    await asyncio.sleep(1.0)
    settle()
    await asyncio.sleep(0.5)
    lags, events, appends = [], told.events, appended
    began, cpu_s = time.perf_counter(), time.process_time()
    while time.perf_counter() < began + seconds:
        before = loop.time()
        await asyncio.sleep(0.005)
        lags.append(loop.time() - before - 0.005)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu_s
    speaking.cancel()
    lags.sort()
    return {
        "cpu": cpu_s / wall_s,
        "lag_p99_ms": lags[int(len(lags) * 0.99)] * 1e3,
        "appends": (appended - appends) / wall_s / (50 * number),
        "events_per_s": (told.events - events) / wall_s / number,
    }


async def memory(stack: Any, url: str, number: int, *_: Any) -> dict[str, Any]:
    """Measure what one more open session adds to the process."""
    opened = [await stack.begin(url, Told()) for _ in range(3)]
    before = rss_kb()
    opened += [await stack.begin(url, Told()) for _ in range(number)]
    await asyncio.sleep(0.3)
    added = (rss_kb() - before) / number
    return {"kb": added, "open": len(opened)}


async def growth(stack: Any, url: str, number: int, *_: Any) -> dict[str, Any]:
    """Measure what a long conversation leaves behind: memory at its end, less that after a number of events."""
    told, before = Told(), 0.0
    session = await stack.begin(url, told)
    while not told.ended.is_set():
        await asyncio.sleep(0.05)
        if not before and told.events > number:
            before = rss_kb()
    grown = rss_kb() - before
    await session.close()
    return {"kb": grown, "before_kb": before, "events": told.events}


def settle() -> None:
    """Take what was imported out of the garbage collector's sight, for every stack alike.

    One full collection of it takes 50 ms or more; whether a short run meets one decides more than the stack does.
    """
    gc.collect()
    gc.freeze()


def rss_kb() -> float:
    gc.collect()
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize() / 1024


JOBS = {job.__name__: job for job in (receive, append, interrupt, sessions, memory, growth)}


def main(name: str, job: str, url: str, number: str = "0", seconds: str = "0") -> None:
    os.environ.setdefault("OPENAI_API_KEY", "sk-none")
    stack = importlib.import_module(f"stack_{name}")
    result: dict[str, Any] = {}

    async def run() -> None:
        result.update(await JOBS[job](stack, url, int(number), float(seconds)))
        print(json.dumps(result), flush=True)
        os._exit(0)  # some stacks leave tasks and threads that would hold the process

    loop_factory = getattr(stack, "loop_factory", None)
    with asyncio.Runner(loop_factory=loop_factory() if loop_factory else None) as runner:
        runner.run(run())


if __name__ == "__main__":
    main(*sys.argv[1:])
