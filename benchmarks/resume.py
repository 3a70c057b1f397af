"""Measure how fast a lost conversation is there again, what a forced rotation loses, and what a long one keeps."""

import asyncio
import statistics
import sys
from collections.abc import Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from benchmarks.figure import Figure
from benchmarks.soak import grown_mb_per_hour
from exchange import Exchange, said
from openai_realtime_api_utils.clock import SystemClock
from openai_realtime_api_utils.simulator import ScriptedEngine, serve
from talking import STORY, TEXT, Talk, spoken

DROPS = 15
ITEMS = 50


def measure() -> Iterable[Figure]:
    """Measure against the local simulator: over a real socket, and on the manual clock."""
    gaps, lost = asyncio.run(_drops())
    how = f"median of {DROPS} drops, {ITEMS} items, a real socket on loopback, from the loss to the first append read"
    yield Figure("resume.drop_ms_p50", statistics.median(gaps), "ms", 150, how)
    yield Figure("resume.lost_items", lost, "items", 0, f"items missing after {DROPS} drops")
    how = "one rotation forced in the middle of an answer; speech not played and user audio not received, in ms"
    yield Figure("resume.rollover_lost_ms", _rollover_lost_ms(), "ms", 0, how)
    how = "6 hours of one conversation on the manual clock, keep_items=200, rotations, drops and barge-ins"
    yield Figure("soak.rss_mb_per_hour", grown_mb_per_hour(6), "MB/h", 0.5, how)


async def _drops() -> tuple[list[float], int]:
    from openai import AsyncOpenAI

    clock = SystemClock()
    engine = ScriptedEngine(replies={"": "Yes."})
    gaps: list[float] = []
    lost = 0
    current: list[Any] = []

    async with serve(lambda: engine) as server, AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client:

        @asynccontextmanager
        async def connect() -> Any:
            async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
                current.append(connection)
                yield connection

        for _ in range(DROPS):
            talk = Talk(None, clock)
            async with talk.held(connect=connect):
                await talk.send({"type": "session.update", "session": TEXT})
                for n in range(ITEMS):
                    await talk.send(said(f"item_{n}", f"This is what was said as number {n}."))
                await talk.events.until("conversation.item.done", ITEMS)
                begun = clock.now()
                current[-1]._connection.transport.abort()
                await talk.events.until("local.session_replaced")
                await talk.send({"type": "input_audio_buffer.append", "audio": "AAAA" * 100})
                await talk.send({"type": "input_audio_buffer.clear"})  # answered when the sound before it was read
                await talk.events.until("input_audio_buffer.cleared")
                gaps.append((clock.now() - begun) * 1000)
                await talk.turn("Are you there?")
                lost += ITEMS + 1 - len(engine.turns[-1].items)
    return gaps, lost


def _rollover_lost_ms() -> float:
    from simulated import quiet

    async def program(talk: Any, engine: Any, exchange: Exchange, user: Any) -> float:
        async with talk.held(*user.hooked, heard=user.player):
            user.microphone.say(quiet(200))
            await talk.wait(78)
            await talk.send({"type": "response.create"})
            await talk.events.until("response.done")
            await talk.wait(60)
            (item,) = talk.conversation.items
            unheard_ms = item.audio_ms - user.player.heard(item.id)
            received = sum(
                len(event["audio"]) * 3 // 4 - event["audio"].count("=")
                for events in exchange.received
                for event in events
                if event["type"] == "input_audio_buffer.append"
            )
            sent_ms = (talk.clock.now() // 0.02) * 20
            return max(0.0, unheard_ms) + max(0.0, sent_ms - received / 48 - 40) + user.mic.lost / 24

    from openai_realtime_api_utils.simulator.scripted import Wait

    story = [piece for _ in range(7) for piece in (STORY * 2, Wait(4))]
    return float(spoken(program, [story], lifetime_s=120))
