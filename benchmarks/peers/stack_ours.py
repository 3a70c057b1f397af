"""This library over the SDK's connection, with the middlewares of a voice session."""

import asyncio
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import openai
import pybase64
from drive import PCM_20_MS, Session

import openai_realtime_api_utils as utils

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from benchmarks.traffic import timed_session

clients: dict[str, openai.AsyncOpenAI] = {}


def connect(client: openai.AsyncOpenAI) -> Any:
    return client.realtime.connect(model="gpt-realtime")


async def begin(url: str, told: Any) -> Session:
    base = url.rsplit("/realtime", 1)[0]
    client = clients.setdefault(base, openai.AsyncOpenAI(websocket_base_url=base))
    connection = await connect(client).enter()
    stack = ExitStack()
    config, talk, ids = utils.TrackConfig(), utils.TrackConversation(), utils.GiveClientEventId()
    clock = ReplayClock(told) if "/replay" in url else utils.SystemClock()
    speaker = utils.MemorySpeaker(clock, keep_s=0.5)
    player = stack.enter_context(
        utils.interruptable_audio_player(
            config, talk, speaker, on_interrupt_handlers=[lambda _: told.interrupted()], clock=clock
        )
    )
    arbitrating = arbiter()
    middlewares = [ids, config, talk, *arbitrating, player]

    def tell(event: Any, metadata: Any, _connection: Any) -> Any:
        told.event()
        if (samples := AUDIO.get(metadata)) is not None:
            told.audio(samples)
        elif event.type == "conversation.item.deleted":
            told.end(event.event_id)
        return event, metadata

    watching = [m.server_event_handler for m in (config, talk, *arbitrating)]
    client_handlers = [m.client_event_handler for m in middlewares if hasattr(m, "client_event_handler")]
    server = [*watching, *player.server_handlers, tell]
    keep_receiving, send = stack.enter_context(utils.hook_handlers(connection, server, client_handlers))
    for middleware in middlewares:
        if hasattr(middleware, "register_send_with_handlers"):
            middleware.register_send_with_handlers(send)
    session = Session(lambda: send(appended()), connection.close)
    session.stack, session.send = stack, send  # type: ignore[attr-defined]
    session.task = asyncio.get_running_loop().create_task(keep_receiving())  # type: ignore[attr-defined]
    await send({"type": "session.update", "session": {"type": "realtime"}})
    return session


class ReplayClock(utils.SystemClock):
    """Tell a loudspeaker the time at which the events of a replay were due, however fast they come."""

    def __init__(self, told: Any) -> None:
        self.told = told
        self.due: list[float] = [0.0, 0.0]
        for seed in range(1, 11):
            start = self.due[-1] + 1.0
            self.due += [start + due for due, _ in timed_session(seed)]

    def now(self) -> float:  # type: ignore[override]
        return self.due[self.told.events % len(self.due)] + self.told.events // len(self.due) * self.due[-1]


AUDIO = utils.middlewares.AUDIO


def appended() -> dict[str, Any]:
    return {"type": "input_audio_buffer.append", "audio": pybase64.b64encode_as_string(PCM_20_MS)}


def arbiter() -> list[Any]:
    """Return ArbitrateResponses where this version has it."""
    make = getattr(utils.middlewares, "ArbitrateResponses", None)
    return [] if make is None else [make()]
