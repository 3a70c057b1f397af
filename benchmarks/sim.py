"""Measure how many sessions the simulator holds on one core, and whether an hour of one leaves its memory flat."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.figure import Figure

SESSIONS = 200
STEPS = (250, 300, 350, 400)
"""What else is tried when the target is met, one after the other, until one is not held."""
SECONDS = 12.0
ROUNDS = 3
ADDED_MS = 20.0
GROWTH_PCT = 5.0


def measure() -> Iterable[Figure]:
    """Measure latency at the target, then more sessions; then memory."""
    if len(_cores()) < 2:
        print("sim: this machine has one core for us, and the server and its clients share it: they slow each other.")
    added = [_added(SESSIONS) for _ in range(ROUNDS)]
    worst = statistics.median(added)
    how = (
        f"median of {ROUNDS} runs of {SECONDS:g} s, p99 of a probe a second in each session, over that of an echo "
        "server of websockets that is sent the same; 50 appends/s of spoken questions each, server VAD, scripted speech"
    )
    yield Figure("sim.added_latency_ms_p99", worst, f"ms, {SESSIONS} sessions", ADDED_MS, how)
    held = SESSIONS if worst <= ADDED_MS else 0
    for sessions in STEPS if held else ():
        if _added(sessions) > ADDED_MS:
            break
        held = sessions
    tried = "/".join(str(each) for each in (SESSIONS, *STEPS))
    how = (
        f"most of {tried} sessions whose added latency is under {ADDED_MS:g} ms, server on one core, clients on another"
    )
    yield Figure("sim.sessions_per_core", held, "sessions", SESSIONS, how, more_is_better=True)
    taken: list[float] = json.loads(_run("sim_memory"))
    growth = (taken[-1] / taken[0] - 1) * 100
    how = f"resident memory after 59 minutes of one session on the manual clock over that after 10 ({taken[0]:.0f} MB)"
    yield Figure("sim.memory_growth_pct", growth, "%", GROWTH_PCT, how)


def _added(sessions: int) -> float:
    """Return what the simulator adds; where the machine is so busy that the echo server is late, not all of it goes."""
    simulator, echo = _load("simulator", sessions), _load("echo", sessions)
    return simulator["p99_ms"] - min(echo["p99_ms"], ADDED_MS)


def _load(server: str, sessions: int) -> dict[str, Any]:
    with _serving(server) as port:
        return json.loads(_run("sim_load", str(port), str(sessions), str(SECONDS), core=1))


@contextmanager
def _serving(kind: str) -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.sim_server", kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        _pin(process.pid, 0)
        if process.stdout is None or process.stdin is None:
            raise OSError("The server has no pipes.")
        yield int(process.stdout.readline())
        process.stdin.close()


def _run(module: str, *arguments: str, core: int | None = None) -> str:
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        if core is not None:
            _pin(process.pid, core)
        told, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"benchmarks.{module} failed.")
    return told


def _cores() -> list[int]:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]


def _pin(process: int, which: int) -> None:
    cores = _cores()
    if len(cores) > 1:
        os.sched_setaffinity(process, {cores[which]})
