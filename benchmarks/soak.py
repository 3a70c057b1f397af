"""Hold one conversation for hours on the manual clock, with rotations, drops and barge-ins.

python -m benchmarks.soak [HOURS] [--svg FILE]
"""

import argparse
import gc
import random
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from exchange import Exchange
from openai_realtime_api_utils import AudioPlayer, ManualClock, MemorySpeaker, TrackConversation
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.middlewares import Interrupt
from openai_realtime_api_utils.simulator import ScriptedEngine
from talking import Talk

KEEP_ITEMS = 200
TURN_S = 30.0
SESSION = {"type": "realtime", "instructions": "Tell stories.", "audio": {"input": {"turn_detection": None}}}
ANSWER = "It was a dark and stormy night, and the rain fell in torrents."


def resident_mb() -> float:
    """Return the resident memory of this process now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


async def soak(
    hours: float,
    clock: ManualClock,
    *,
    keep_items: int = KEEP_ITEMS,
    every_h: float = 0.5,
    measure_mb: Callable[[], float] = resident_mb,
    also: Sequence[Any] = (),
) -> list[tuple[float, float]]:
    """Talk for so many hours of the clock; return (hours, MB) each time some have passed.

    Args:
        hours: how long.
        clock: jumps.
        keep_items: how many items of the conversation are kept.
        every_h: how often to measure.
        measure_mb: measures.
        also: middlewares to hook beside the others.
    """
    chance = random.Random(1)
    engine = last_turns(ScriptedEngine(replies={"": ANSWER}, clock=clock))
    exchange = Exchange(engine, clock, keep_audio_s=10.0)
    talk = Talk(exchange, clock)
    talk.conversation = TrackConversation(keep_items=keep_items)
    talk.events.keeps = 50
    player = AudioPlayer(MemorySpeaker(clock), clock=clock)
    interrupt = Interrupt(talk.config, talk.conversation, player, clock=clock)
    curve = [(0.0, measure_mb())]
    async with talk.held(player, interrupt, *also, heard=player):
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
            if clock.now() / 3600 - curve[-1][0] >= every_h:
                curve.append((clock.now() / 3600, measure_mb()))
    return curve


def last_turns(engine: ScriptedEngine) -> ScriptedEngine:
    """Have an engine remember its last turn only."""
    engine.turns = _LastOnly()  # type: ignore[assignment]
    return engine


class _LastOnly(list[Any]):
    """Keep the last turn only, so that what is measured is the library."""

    def append(self, turn: Any) -> None:
        self[:] = [turn]


def grown_mb_per_hour(hours: float) -> float:
    """Return by how much memory grows in an hour once as many items are kept as may be: a line through the curve."""
    clock = ManualClock()
    return growth(fast_forward.run(soak(hours, clock), clock))


def growth(curve: list[tuple[float, float]]) -> float:
    """Return the slope of a line through the last two thirds of a curve, in MB an hour."""
    curve = [point for point in curve if point[0] >= curve[-1][0] / 3]
    mean_x, mean_y = (sum(values) / len(curve) for values in zip(*curve, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in curve)
    return sum((x - mean_x) * (y - mean_y) for x, y in curve) / spread


def main() -> int:
    """Soak, and print the curve; return 1 if memory grows by more than 0.5 MB an hour."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hours", type=float, nargs="?", default=24.0)
    parser.add_argument("--svg", type=Path, help="draw the curve into this file")
    given = parser.parse_args()
    clock = ManualClock()
    curve = fast_forward.run(soak(given.hours, clock), clock)
    for hours, megabytes in curve:
        print(f"{hours:6.1f} h {megabytes:8.1f} MB")
    if given.svg:
        given.svg.write_text(drawn(curve))
    print(f"grows by {growth(curve):.3f} MB an hour after the first third")
    return 0 if growth(curve) < 0.5 else 1


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
