"""Measure what the library costs, against the openai package and the other libraries, side by side in the same run.

Every figure is a median of ratios: each round runs all stacks one after the other, so that noise hits all alike.
``BENCH_ROUNDS`` sets the number of rounds, ``BENCH_PEERS`` names the peers to run and ``BENCH_PARTS`` the parts (all,
if they are not set): inside, receive, append, interrupt, sessions, memory, growth.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks import speed_inside
from benchmarks.figure import Figure
from benchmarks.speed_peers import available, run, server
from benchmarks.traffic import session

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
LOOPS = 10
APPENDS = 3000
TRIALS = 8
WINDOW_S = 4.0
MOST_LAG_MS = 20.0
HOURS = 7
SESSIONS_AN_HOUR = 32
STEP = 1.1
AUDIENCE = 80
"""How many sessions the CPU time of one is taken from: few enough for the slowest stack."""

Results = dict[str, list[dict[str, Any]]]


def measure() -> Iterable[Figure]:
    """Measure everything; what a missing peer is needed for is left out."""
    parts = {
        "receive": _receive,
        "append": _append,
        "interrupt": _interrupt,
        "sessions": _sessions,
        "memory": _memory,
        "growth": _memory_growth,
    }
    chosen = os.environ.get("BENCH_PARTS", " ".join(("inside", *parts))).split()
    if "inside" in chosen:
        yield from speed_inside.measure()
    named = os.environ.get("BENCH_PEERS")
    stacks = [s for s in available() if named is None or s in named.split() or s in ("ours", "ours_fast", "openai")]
    with server() as url:
        for name, measure_part in parts.items():
            if name in chosen:
                yield from measure_part(stacks, url)


def _rounds(stacks: Sequence[str], job: str, url: str, *numbers: float, rounds: int = ROUNDS) -> Results:
    results: Results = {stack: [] for stack in stacks}
    for _ in range(rounds):
        taken = {stack: run(stack, job, url, *numbers) for stack in stacks}
        for stack, result in taken.items():
            if result is not None:
                results[stack].append(result)
    return results


def _tell(title: str, results: Results, field: str, unit: str) -> None:
    told = {
        stack: f"{statistics.median(r[field] for r in found):.3g} "
        f"[{min(r[field] for r in found):.3g} to {max(r[field] for r in found):.3g}]"
        for stack, found in results.items()
        if found
    }
    print(f"  {title}, {unit}: " + ", ".join(f"{stack} {value}" for stack, value in told.items()), flush=True)


def _ratio(results: Results, stack: str, peer: str, field: str) -> float | None:
    pairs = list(zip(results.get(stack, []), results.get(peer, []), strict=False))
    return statistics.median(a[field] / b[field] for a, b in pairs) if pairs else None


def _ratios(
    results: Results, field: str, how: str, *wanted: tuple[str, str, str, float], more_is_better: bool = False
) -> Iterable[Figure]:
    for name, stack, peer, target in wanted:
        ratio = _ratio(results, stack, peer, field)
        if ratio is not None:
            yield Figure(name, ratio, f"of {peer}", target, how, more_is_better)


def _receive(stacks: Sequence[str], url: str) -> Iterable[Figure]:
    results = _rounds(stacks, "receive", f"{url}/replay;loops={LOOPS}")
    _tell("receiving", results, "us", "us of CPU time per server event")
    how = f"median of {ROUNDS} ratios of CPU time per server event, ten-turn sessions, the socket never empty"
    yield from _ratios(
        results,
        "us",
        how,
        ("speed.receive_vs_openai", "ours", "openai", 0.25),
        ("speed.receive_vs_agents", "ours", "openai_agents", 0.35),
        ("speed.receive_vs_livekit", "ours", "livekit", 1.0),
        ("speed.receive_vs_pipecat", "ours", "pipecat", 1.0),
        ("speed.receive_vs_floor", "ours", "floor", 1.6),
        ("speed.fast_receive_vs_floor", "ours_fast", "floor", 1.6),
    )


def _append(stacks: Sequence[str], url: str) -> Iterable[Figure]:
    sending = [s for s in stacks if s not in ("livekit", "pipecat")]  # those two only queue what they are given
    results = _rounds(sending, "append", f"{url}/idle", APPENDS)
    _tell("sending", results, "us", "us of CPU time per append of 20 ms")
    yield from _ratios(
        results,
        "us",
        f"median of {ROUNDS} ratios of CPU time per append of 20 ms",
        ("speed.append_vs_openai", "ours", "openai", 0.17),
        ("speed.append_vs_agents", "ours", "openai_agents", 1.0),
        ("speed.append_vs_floor", "ours", "floor", 2.0),
        ("speed.fast_append_vs_floor", "ours_fast", "floor", 1.3),
    )


def _interrupt(stacks: Sequence[str], url: str) -> Iterable[Figure]:
    for name, gap in (("idle", 0.25), ("burst", 0)):
        results = _rounds(stacks, "interrupt", f"{url}/burst;trials={TRIALS};gap={gap}", rounds=min(ROUNDS, 3))
        medians = {s: [{"ms": statistics.median(r["ms"])} for r in found if r["ms"]] for s, found in results.items()}
        _tell(f"interrupting, {name}", medians, "ms", "ms from the server's write to silence")
        how = f"median of {min(ROUNDS, 3)} medians of {TRIALS}"
        ms = {s: statistics.median(r["ms"] for r in found) for s, found in medians.items() if found}
        behind = "behind ten seconds of audio in one burst" if name == "burst" else "all caught up"
        if "ours" in ms:
            yield Figure(f"speed.interrupt_{name}_ms_p50", ms["ours"], "ms", 2.0, f"{how}, {behind}")
        peers = {s: v for s, v in ms.items() if s not in ("floor", "ours", "ours_fast")}
        if name == "burst" and "ours" in ms and peers:
            best = min(peers, key=lambda s: peers[s])
            how = f"{how}, {behind}; the best peer is {best}"
            yield Figure("speed.interrupt_burst_vs_best", ms["ours"] / peers[best], f"of {best}", 0.3, how)


def _sessions(stacks: Sequence[str], url: str) -> Iterable[Figure]:
    """Take how many sessions a core holds from the CPU time of one, and try whether it does."""
    running = [s for s in stacks if s not in ("pipecat", "floor")] + (["ours_100ms"] if "livekit" in stacks else [])
    results = _rounds(running, "sessions", f"{url}/real", AUDIENCE, WINDOW_S)
    _tell(f"{AUDIENCE} sessions", results, "cpu", "cores")
    about = {stack: AUDIENCE / statistics.median(r["cpu"] for r in found) for stack, found in results.items() if found}
    held: Results = {stack: [] for stack in about}
    for _ in range(ROUNDS):
        for stack, number in about.items():
            about[stack] = _most_held(stack, url, int(number))
            held[stack].append({"held": about[stack]})
    _tell("sessions held", held, "held", f"with p99 loop lag below {MOST_LAG_MS:g} ms")
    yield from _ratios(
        held,
        "held",
        f"median of {ROUNDS} ratios: sessions of one core with p99 loop lag below {MOST_LAG_MS:g} ms, 20 ms a frame",
        ("speed.sessions_vs_openai", "ours", "openai", 4.0),
        ("speed.sessions_vs_agents", "ours", "openai_agents", 1.2),
        ("speed.sessions_vs_livekit", "ours_100ms", "livekit", 1.2),
        ("speed.fast_sessions_vs_openai", "ours_fast", "openai", 8.0),
        more_is_better=True,
    )
    how = f"median of {ROUNDS} ratios of CPU time, {AUDIENCE} sessions in real time"
    yield from _ratios(
        results,
        "cpu",
        how,
        ("speed.session_cpu_vs_openai", "ours", "openai", 0.25),
        ("speed.session_cpu_vs_agents", "ours", "openai_agents", 0.83),
        ("speed.session_cpu_vs_livekit", "ours_100ms", "livekit", 0.83),
        ("speed.fast_session_cpu_vs_openai", "ours_fast", "openai", 0.125),
    )


def _most_held(stack: str, url: str, number: int) -> int:
    """Go up or down from a number of sessions, in steps, to the most that a core holds; 1 where it holds none."""
    if _holds(stack, url, number):
        while _holds(stack, url, more := int(number * STEP)):
            number = more
        return number
    while number > 1 and not _holds(stack, url, number := max(1, int(number / STEP))):
        pass
    return number


def _holds(stack: str, url: str, number: int) -> bool:
    """Try whether a core holds so many sessions: the loop is on time, and nearly all appends go out."""
    tried = run(stack, "sessions", f"{url}/real", number, WINDOW_S)
    lag = "failed" if tried is None else f"p99 lag {tried['lag_p99_ms']:.1f} ms, {tried['cpu']:.2f} cores"
    print(f"  {stack}: {number} sessions, {lag}", flush=True)
    return tried is not None and tried["lag_p99_ms"] < MOST_LAG_MS and tried["appends"] > 0.98


def _memory(_stacks: Sequence[str], url: str) -> Iterable[Figure]:
    found = _rounds(["ours"], "memory", f"{url}/idle", 60)["ours"]
    if found:
        how = f"median of {ROUNDS}: resident memory of 60 sessions more, one client shared"
        yield Figure("speed.rss_kb_per_session", statistics.median(r["kb"] for r in found), "KB", 150, how)


def _memory_growth(_stacks: Sequence[str], url: str) -> Iterable[Figure]:
    # In the seventh hour there are 2,000 items, and from then on the oldest leave.
    loops = (HOURS + 1) * SESSIONS_AN_HOUR
    begin = HOURS * SESSIONS_AN_HOUR * len(session())
    grown = _rounds(["ours"], "growth", f"{url}/replay;loops={loops}", begin, rounds=3)["ours"]
    if grown:
        how = f"median of 3: resident memory after {HOURS + 1} hours of conversation, less that after {HOURS}"
        yield Figure("speed.rss_growth_kb_per_hour", statistics.median(r["kb"] for r in grown), "KB", 256, how)
