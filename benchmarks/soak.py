"""Hold one conversation for hours on the manual clock, with rotations, drops and barge-ins.

python -m benchmarks.soak [HOURS] [--svg FILE]
python -m benchmarks.soak --real MINUTES     twenty sessions at once, over sockets, in real time
"""

import argparse
import asyncio
import gc
import random
import resource
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from exchange import Exchange
from openai_realtime_api_utils import AudioPlayer, ManualClock, MemorySpeaker, SystemClock, TrackConversation
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.middlewares import Interrupt
from openai_realtime_api_utils.simulator import Faults, ScriptedEngine, serve
from talking import TEXT, Talk

KEEP_ITEMS = 200
TURN_S = 30.0
SESSION = {"type": "realtime", "instructions": "Tell stories.", "audio": {"input": {"turn_detection": None}}}
ANSWER = "It was a dark and stormy night, and the rain fell in torrents."


def resident_mb() -> float:
    """Return the resident memory of this process now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def soak(hours: float, clock: ManualClock, seed: int = 1) -> list[tuple[float, float]]:
    """Talk for so many hours of the clock; return (hours, MB) every half hour."""
    chance = random.Random(seed)
    engine = ScriptedEngine(replies={"": ANSWER}, clock=clock)
    engine.turns = _LastOnly()  # type: ignore[assignment]
    exchange = Exchange(engine, clock, keep_audio_s=10.0)
    talk = Talk(exchange, clock)
    talk.conversation = TrackConversation(keep_items=KEEP_ITEMS)
    talk.events.keeps = 50
    player = AudioPlayer(MemorySpeaker(clock), clock=clock)
    interrupt = Interrupt(talk.config, talk.conversation, player, clock=clock)
    curve = [(0.0, resident_mb())]
    async with talk.held(player, interrupt, heard=player):
        await talk.send({"type": "session.update", "session": SESSION})
        while clock.now() < hours * 3600:
            await talk.turn("And then?")
            kind = chance.random()
            if kind < 0.1:
                exchange.drop(chance.choice([1001, 1006, 1011, 1012]))
            elif kind < 0.3:
                interrupt.interrupt()
            await talk.wait(TURN_S * (0.5 + chance.random()))
            exchange.forget()
            if clock.now() / 3600 - curve[-1][0] >= 0.5:
                curve.append((clock.now() / 3600, resident_mb()))
    return curve


async def in_real_time(minutes: float, sessions: int = 20) -> tuple[int, int]:
    """Hold conversations over sockets, each dropped now and then; return how many turns, and how many drops."""
    from openai import AsyncOpenAI

    clock = SystemClock()
    until = clock.now() + minutes * 60

    async def one(client: AsyncOpenAI, seed: int) -> tuple[int, int]:
        chance, turns, drops = random.Random(seed), 0, 0
        current: list[Any] = []

        @asynccontextmanager
        async def connect() -> Any:
            async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
                current[:] = [connection]
                yield connection

        talk = Talk(None, clock)
        talk.events.keeps = 50
        async with talk.held(connect=connect, rollover_s=90):
            await talk.send({"type": "session.update", "session": TEXT})
            while clock.now() < until:
                done = await talk.turn("And then?")
                turns += done.response.status == "completed"
                await talk.wait(chance.uniform(1, 15))
                if chance.random() < 0.2:
                    current[0]._connection.transport.abort()
                    drops += 1
        return turns, drops

    async with (
        serve(lambda: ScriptedEngine(replies={"": ANSWER}), faults=Faults(latency_s=0.05, jitter_s=0.05)) as server,
        AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client,
    ):
        held = await asyncio.gather(*(one(client, seed) for seed in range(sessions)))
    return sum(turns for turns, _ in held), sum(drops for _, drops in held)


class _LastOnly(list[Any]):
    """Keep the last turn only, so that what is measured is the library."""

    def append(self, turn: Any) -> None:
        self[:] = [turn]


def grown_mb_per_hour(hours: float) -> float:
    """Return by how much memory grows in an hour once as many items are kept as may be: a line through the curve."""
    clock = ManualClock()
    curve = [point for point in fast_forward.run(soak(hours, clock), clock) if point[0] >= hours / 3]
    mean_x, mean_y = (sum(values) / len(curve) for values in zip(*curve, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in curve)
    return sum((x - mean_x) * (y - mean_y) for x, y in curve) / spread


def main() -> int:
    """Soak, and print the curve; return 1 if memory grows by more than 0.5 MB an hour."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hours", type=float, nargs="?", default=24.0)
    parser.add_argument("--svg", type=Path, help="draw the curve into this file")
    parser.add_argument("--real", type=float, metavar="MINUTES", help="run in real time, twenty sessions at once")
    given = parser.parse_args()
    if given.real:
        before = resident_mb()
        turns, drops = asyncio.run(in_real_time(given.real))
        print(f"{turns} turns, {drops} drops, memory grew by {resident_mb() - before:.1f} MB")
        return 0
    clock = ManualClock()
    curve = fast_forward.run(soak(given.hours, clock), clock)
    for hours, megabytes in curve:
        print(f"{hours:6.1f} h {megabytes:8.1f} MB")
    if given.svg:
        given.svg.write_text(drawn(curve))
    late = [point for point in curve if point[0] >= given.hours / 3]
    growth = (late[-1][1] - late[0][1]) / (late[-1][0] - late[0][0])
    print(f"grows by {growth:.3f} MB an hour after the first third")
    return 0 if growth < 0.5 else 1


def drawn(curve: list[tuple[float, float]]) -> str:
    """Return the curve as a picture."""
    width, height, left, top = 640, 240, 56, 16
    hours, most = curve[-1][0], max(megabytes for _, megabytes in curve) * 1.1
    points = " ".join(
        f"{left + x / hours * (width - left - 16):.1f},{height - 32 - y / most * (height - 32 - top):.1f}"
        for x, y in curve
    )
    labels = "".join(
        f'<text x="{left + h / hours * (width - left - 16):.0f}" y="{height - 10}" text-anchor="middle">{h:.0f} h'
        "</text>"
        for h in (0, hours / 4, hours / 2, hours * 3 / 4, hours)
    )
    levels = "".join(
        f'<text x="{left - 8}" y="{height - 28 - m / most * (height - 32 - top):.0f}" text-anchor="end">{m:.0f}</text>'
        for m in (0, most / 2, most)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">'
        f'<rect width="{width}" height="{height}" fill="white"/>'
        f'<polyline points="{points}" fill="none" stroke="#1f77b4" stroke-width="2"/>'
        f'<path d="M{left} {top}V{height - 32}H{width - 16}" fill="none" stroke="black"/>{labels}{levels}'
        f'<text x="{left}" y="12">resident memory in MB</text></svg>\n'
    )


if __name__ == "__main__":
    raise SystemExit(main())
