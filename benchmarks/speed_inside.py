"""Measure the parts of the library by themselves, in this process: no socket, no peer but the SDK's own parse."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, cast

from openai.resources.realtime.realtime import AsyncRealtimeConnection

import openai_realtime_api_utils as utils
from benchmarks.figure import Figure, median_ratio
from benchmarks.traffic import session
from openai_realtime_api_utils.chain import chain
from openai_realtime_api_utils.events import decode

ROUNDS = 9
IMPORTED = "openai, openai.types.realtime"
PROGRAM = (
    "from openai_realtime_api_utils import hook_handlers, hook_middlewares, GiveClientEventId, PrintEvents, "
    "TrackConfig, TrackConversation, AudioPlayer, Interrupt, StreamMic"
)


def measure() -> Iterable[Figure]:
    yield from _decode()
    yield from _chain()
    yield from _growth()
    yield from _imports()
    _tell_middlewares()


def _decode() -> Iterable[Figure]:
    frames = session()
    parse = cast(Any, AsyncRealtimeConnection.parse_event)

    def ours() -> None:
        for frame in frames:
            decode(frame)

    def sdk() -> None:
        for frame in frames:
            parse(None, frame)

    how = f"median of {ROUNDS} ratios of CPU time, {len(frames)} frames of a ten-turn voice session"
    # 4.7 us against 63 us was measured for the union against the SDK's parse when the design was made.
    yield Figure("speed.decode_vs_openai", median_ratio(ours, sdk, ROUNDS), "of openai", 0.15, how)


def _chain() -> Iterable[Figure]:
    def handler(event: Any, metadata: Any, connection: Any) -> Any:
        return event, metadata

    handlers = [handler] * 6
    folded = chain(handlers)
    event = decode(session()[0])

    def through_chain() -> None:
        for _ in range(20_000):
            folded(event, {}, None)

    def by_hand() -> None:
        for _ in range(20_000):
            now, metadata = event, {}
            for call in handlers:
                now, metadata = call(now, metadata, None)

    how = f"median of {ROUNDS} ratios of CPU time, 6 sync handlers, against a bare loop over them"
    yield Figure("speed.chain_vs_bare_calls", median_ratio(through_chain, by_hand, ROUNDS), "of bare calls", 4.0, how)


def _growth() -> Iterable[Figure]:
    """Compare what a session costs in a conversation of 10 items with what it costs in one of 10,000."""

    def tracking(items: int) -> Callable[[], None]:
        talk = utils.TrackConversation(keep_items=20_000)
        for number in range(items):
            item = {"id": f"old_{number}", "type": "message", "role": "user", "status": "completed", "content": []}
            added = {"type": "conversation.item.added", "event_id": "e", "item": item}
            talk.server_event_handler(decode(json.dumps({**added, "previous_item_id": None})), {}, None)
        events = [decode(frame) for frame in session(2)]

        def track() -> None:
            for event in events:
                talk.server_event_handler(event, {}, None)

        return track

    how = f"median of {ROUNDS} ratios of CPU time, a ten-turn session tracked behind 10,000 items and behind 10"
    yield Figure(
        "speed.long_conversation", median_ratio(tracking(10_000), tracking(10), ROUNDS), "of a short one", 1.15, how
    )


def _imports() -> Iterable[Figure]:
    program = f"import time, {IMPORTED}; began = time.process_time(); {{}}; print(time.process_time() - began)"
    for name, statement, target in (
        ("speed.import_ms", "import openai_realtime_api_utils", 30),
        ("speed.import_voice_ms", PROGRAM, 200),
    ):
        taken = [
            float(
                subprocess.run(
                    [sys.executable, "-c", program.format(statement)], capture_output=True, check=True
                ).stdout
            )
            for _ in range(ROUNDS)
        ]
        how = f"median of {ROUNDS}: CPU time of  {statement}  after  import {IMPORTED}"
        yield Figure(name, statistics.median(taken) * 1000, "ms", target, how)


class Sending:
    """Stand in for ``send`` where what is sent does not matter."""

    async def __call__(self, event: Any) -> None:
        pass

    def by(self, name: str) -> Sending:
        return self

    def spawn(self, work: Any, *, name: str) -> None:
        work.close()


def _tell_middlewares() -> None:
    """Print where the time of an event goes: the median over each type of event, weighted by how many there are."""
    with contextlib.ExitStack() as stack:
        config, talk = utils.TrackConfig(), utils.TrackConversation()
        speaker = utils.MemorySpeaker(utils.SystemClock(), keep_s=0.5)
        player, interrupt, *_ = stack.enter_context(utils.interruptable_audio_player(config, talk, speaker))
        middlewares: list[Any] = [config, talk, player, interrupt]
        if hasattr(utils.middlewares, "ArbitrateResponses"):
            middlewares.insert(2, utils.middlewares.ArbitrateResponses())
        for middleware in middlewares:
            if hasattr(middleware, "register_send_with_handlers"):
                middleware.register_send_with_handlers(cast(Any, Sending()))
        parts = {type(m).__name__: m.server_event_handler for m in middlewares}
        taken: dict[str, dict[str, list[float]]] = {}
        clock = time.perf_counter
        for seed in range(1, 13):
            for frame in session(seed):
                began = clock()
                event = decode(frame)
                spent = {"decode": clock() - began}
                metadata: dict[Any, Any] = {}
                for name, handler in parts.items():
                    began = clock()
                    handler(event, metadata, None)
                    spent[name] = clock() - began
                kind = taken.setdefault(event.type, {name: [] for name in spent})
                for name, seconds in spent.items():
                    kind[name].append(seconds)
    number = sum(len(kind["decode"]) for kind in taken.values())
    shares = {
        name: sum(statistics.median(kind[name]) * len(kind[name]) for kind in taken.values()) / number * 1e6
        for name in ("decode", *parts)
    }
    print("  one event, us: " + ", ".join(f"{name} {us:.2f}" for name, us in shares.items()), flush=True)
