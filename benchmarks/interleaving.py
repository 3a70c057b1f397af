"""Play a conversation in which everybody asks for responses at once, over a slow network, and tell what came of it.

Both ends run on a clock that jumps: users' requests, turns that the server answers by itself, tools, cancels and
failures meet on the wire in whatever order the latencies make of them.
"""

import base64
import json
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import numpy as np

from openai_realtime_api_utils import (
    CallTools,
    GiveClientEventId,
    ManualClock,
    Tool,
    TrackConversation,
    hook_middlewares,
    tool,
)
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.middlewares import ArbitrateResponses
from openai_realtime_api_utils.simulator import Call, Fail, ScriptedEngine, connect
from openai_realtime_api_utils.simulator.fault_injection import Faults

ACTIONS = ("create", "speak", "blurt", "tool", "cancel", "fail")
"""``blurt``: a whole utterance arrives at once, as after a network that stood still. The server hears it out, and
answers, before its first word of that is back: requests cross its response."""
_FRAME = 480
_RATE = 24_000
_FAILURES = 5
"""How many responses fail at most, and how often each is asked for again: in the end all are answered."""
_SILENT = logging.getLogger("interleaving")
_SILENT.disabled = True


@dataclass
class Outcome:
    """Be what came of it."""

    errors: list[str] = field(default_factory=list[str])
    """The codes of the errors that reached a user's handler."""
    asked: int = 0
    """Requests that reached the arbiter, follow-ups of tools included."""
    begun: Counter[str] = field(default_factory=Counter[str])
    """Responses to requests, by the event id of the request."""
    owed: Counter[str] = field(default_factory=Counter[str])
    """The same, as it should be."""
    dropped_cancels: int = 0
    crossed: int = 0
    own: int = 0
    """Responses that the server began by itself."""
    is_idle: bool = False
    """Whether nothing was open or waiting at the end, for either side."""


def violations(outcome: Outcome) -> dict[str, object]:
    """Return what of the promise was not kept."""
    missing = (outcome.owed - outcome.begun).total()
    broken = {
        "errors that a user saw": outcome.errors,
        "requests answered twice": dict(outcome.begun - outcome.owed),
        "requests lost": max(0, missing - outcome.dropped_cancels),  # a request may be cancelled before it begins
        "unrest at the end": not outcome.is_idle,
    }
    return {name: value for name, value in broken.items() if value}


def counts(outcome: Outcome) -> dict[str, int]:
    """Return what there was to keep a promise of."""
    return {
        "plays": 1,
        "plays with a crossing": int(outcome.crossed > 0),
        "requests of users and tools": outcome.asked,
        "responses to requests, retries included": outcome.begun.total(),
        "responses that the server began by itself": outcome.own,
        "requests that crossed one of those on the wire": outcome.crossed,
    }


class LoudVad:
    """Take whatever is loud for speech."""

    def judge(self, samples: Any) -> list[float]:
        return [float(np.abs(frame).max() > 1000) for frame in samples.reshape(-1, _FRAME)]


def play(
    script: Sequence[tuple[float, str]], *, latency_s: tuple[float, float], interrupts: bool, seed: int
) -> Outcome:
    """Play a script of (pause in seconds, action); latencies to the client and to the server."""
    clock = ManualClock()
    return fast_forward.run(_play(clock, script, latency_s, interrupts, seed), clock)


async def _play(clock: Any, script: Any, latency_s: Any, interrupts: bool, seed: int) -> Outcome:
    outcome = Outcome()
    service, before = Service(outcome), Before(outcome)
    arbiter = ArbitrateResponses("queue", retries=_FAILURES, retry_after_s=0.2, clock=clock)
    conversation = TrackConversation()
    tools = CallTools([_look(clock, Random(seed))], track_conversation=conversation, clock=clock)
    engine = ScriptedEngine(replies={"": service.reply}, hears=["Hello"] * 50, clock=clock)
    faults = Faults(latency_s=latency_s)
    async with connect(engine, clock=clock, vad=LoudVad, watch=service.watch, faults=faults) as connection:
        middlewares = [GiveClientEventId(), before, arbiter, conversation, tools, Behind(outcome)]
        async with hook_middlewares(connection, middlewares, clock=clock, logger=_SILENT) as session:
            detection = {"type": "server_vad", "silence_duration_ms": 200, "interrupt_response": interrupts}
            settings = {"output_modalities": ["text"], "audio": {"input": {"turn_detection": detection}}}
            await session.send({"type": "session.update", "session": {"type": "realtime", **settings}})
            for pause_s, action in script:
                await clock.sleep_until(clock.now() + pause_s)
                match action:
                    case "create":
                        await session.send({"type": "response.create"})
                    case "speak" | "blurt":
                        pace_s = 0.1 if action == "speak" else 0.0
                        session.send.spawn(_speak(session.send, clock, pace_s), name="speak")
                    case "cancel":
                        outcome.dropped_cancels += await session.send({"type": "response.cancel"}) is None
                    case _:
                        service.plan(action)
            await clock.sleep_until(clock.now() + 60)
            outcome.crossed = arbiter.crossed
            outcome.is_idle = arbiter.is_idle and not service.open and not conversation.open_responses
    return outcome


class Service:
    """Answer as the script has it, and keep account of what the service really did."""

    def __init__(self, outcome: Outcome) -> None:
        self.open: dict[str, str | None] = {}
        self._outcome = outcome
        self._planned = Counter[str]()
        self._failures = 0

    def plan(self, action: str) -> None:
        """Have a response to come fail, or call a tool."""
        if action == "fail":
            self._failures += 1
        if action != "fail" or self._failures <= _FAILURES:
            self._planned[action] += 1

    def reply(self, _turn: Any) -> Any:
        for what, answer in (("fail", Fail("rate_limit_exceeded", "Too many.")), ("tool", Call("look"))):
            if self._planned[what]:
                self._planned[what] -= 1
                return answer
        return "Yes, indeed."

    def watch(self, sender: str, frame: str | bytes) -> None:
        event = json.loads(frame)
        if sender != "server" or event["type"] not in ("response.created", "response.done"):
            return
        response = event["response"]
        if event["type"] == "response.created":
            tag = self.open[response["id"]] = (response["metadata"] or {}).get("create_id")
            if tag is None:
                self._outcome.own += 1
            else:
                self._outcome.begun[tag] += 1
        else:
            tag = self.open.pop(response["id"])
            if response["status"] == "failed" and tag is not None:
                self._outcome.owed[tag] += 1


class Before:
    """See what reaches the arbiter, once."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._seen: set[str] = set()

    def client_event_handler(self, event: Any, metadata: Any, connection: Any) -> Any:
        if event["type"] == "response.create" and event["event_id"] not in self._seen:
            self._seen.add(event["event_id"])
            tag = ((event.get("response") or {}).get("metadata") or {}).get("create_id", event["event_id"])
            self._outcome.owed[tag] += 1
            self._outcome.asked += 1
        return event, metadata


class Behind:
    """Be a user's handler."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def server_event_handler(self, event: Any, metadata: Any, connection: Any) -> Any:
        if event.type == "error":
            self._outcome.errors.append(f"{event.error.code}: {event.error.message}")
        return event, metadata


@tool
async def look() -> str:
    """Look."""
    raise NotImplementedError


def _look(clock: Any, random: Random) -> Tool:
    """Return a tool that takes its time; its schema is made once for all plays."""

    async def look_in_time() -> str:
        await clock.sleep_until(clock.now() + random.uniform(0, 0.6))
        return "something"

    return replace(look, prepare=lambda _arguments, _context: look_in_time)


async def _speak(send: Any, clock: Any, pace_s: float) -> None:
    """Say something, 100 ms of sound each ``pace_s``."""
    for value, chunks in ((8000, 3), (0, 5)):
        for _ in range(chunks):
            samples = np.full(_RATE // 10, value, np.int16).tobytes()
            await send({"type": "input_audio_buffer.append", "audio": base64.b64encode(samples).decode()})
            await clock.sleep_until(clock.now() + pace_s)
