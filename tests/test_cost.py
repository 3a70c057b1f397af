"""What an event costs, counted in calls: the same on every machine, and no clock is asked."""

import contextlib
import gc
import json
import sys

import pytest
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from benchmarks.traffic import session
from openai_realtime_api_utils import (
    GiveClientEventId,
    ManualClock,
    MemorySpeaker,
    TrackConfig,
    TrackConversation,
    decode,
    hook_handlers,
    interruptable_audio_player,
    middlewares,
)

FRAMES = session()
CALLS_PER_EVENT = 65
"""It was 58 on Python 3.11, for decoding and six handlers; where it rises, so does the time."""
APPEND = {"type": "input_audio_buffer.append", "audio": "AAAA" * 320}


class Connection:
    """Deliver frames without ever waiting, and swallow what is sent."""

    def __init__(self, frames=()):
        self.frames = iter(frames)

    async def recv_bytes(self):
        for frame in self.frames:
            return frame
        raise EOFError

    async def send_raw(self, data):
        pass

    async def send(self, data):
        pass


@contextlib.contextmanager
def counted():
    """Count the calls of Python and C functions in a block."""
    calls = [0]

    def count(frame, kind, argument):
        calls[0] += kind in ("call", "c_call")

    gc.disable()  # a collection calls whoever watches for collections
    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(None)
        gc.enable()


def finished(coroutine):
    """Run a coroutine that never waits."""
    with pytest.raises(StopIteration):
        coroutine.send(None)


@contextlib.contextmanager
def voice_session(connection):
    """Hook the middlewares of a voice session; yield the handlers' list, and send."""
    clock, config, talk = ManualClock(), TrackConfig(), TrackConversation()
    with interruptable_audio_player(config, talk, MemorySpeaker(clock), clock=clock) as player:
        hooked = [GiveClientEventId(), config, talk, middlewares.ArbitrateResponses(clock=clock), player]
        server = [m.server_event_handler for m in hooked if hasattr(m, "server_event_handler")]
        client = [m.client_event_handler for m in hooked if hasattr(m, "client_event_handler")]
        with hook_handlers(connection, server, client, clock=clock) as (_, send):
            for middleware in hooked:
                if hasattr(middleware, "register_send_with_handlers"):
                    middleware.register_send_with_handlers(send)
            yield server, send


def calls_of_tracking(items):
    """Return how many calls one more turn takes behind so many items."""
    talk = TrackConversation(keep_items=20_000)
    for number in range(items):
        item = {"id": f"old_{number}", "type": "message", "role": "user", "status": "completed", "content": []}
        event = {"type": "conversation.item.added", "event_id": "e", "item": item}
        talk.server_event_handler(decode(json.dumps({**event, "previous_item_id": None})), {}, None)
    events = [decode(frame) for frame in FRAMES]
    with counted() as calls:
        for event in events:
            talk.server_event_handler(event, {}, None)
    return calls[0]


def test_a_long_conversation_costs_what_a_short_one_costs():
    """Behind ten thousand items an event takes not one call more than behind ten."""
    calls_of_tracking(1)  # what is made on first use is made
    assert calls_of_tracking(10) == calls_of_tracking(10_000)


async def test_an_event_through_all_middlewares_takes_few_calls():
    """Decoding and all handlers of a voice session together stay within what they took when this was measured."""
    with voice_session(Connection()) as (server, _):
        for frame in session(2):  # so that all is loaded
            event, metadata = decode(frame), {}
            for handler in server:
                handler(event, metadata, None)
        with counted() as calls:
            for frame in FRAMES:
                event, metadata = decode(frame), {}
                for handler in server:
                    event, metadata = handler(event, metadata, None)
    assert calls[0] / len(FRAMES) < CALLS_PER_EVENT


async def test_the_loop_around_the_handlers_takes_few_calls():
    """Receiving costs, beside decoding and the handlers themselves, a fixed few calls for each event and handler."""

    def handler(event, metadata, connection):
        return event, metadata

    async def calls(handlers):
        with hook_handlers(Connection(FRAMES), handlers, []) as (keep_receiving, _):
            with counted() as counting:
                with pytest.raises(Exception, match="1006"):
                    await keep_receiving()
        return counting[0] / len(FRAMES)

    await calls([handler])
    with counted() as decoding:
        for frame in FRAMES:
            decode(frame)
    none, six = await calls([]), await calls([handler] * 6)
    assert none - decoding[0] / len(FRAMES) < 10
    assert (six - none) / 6 < 2.5


async def test_an_append_takes_few_calls():
    """A frame of the microphone, through all client handlers, takes a fifteenth of the calls of the SDK's append."""
    resource = AsyncRealtimeConnection(Connection()).input_audio_buffer
    with voice_session(Connection()) as (_, send):
        await resource.append(audio=APPEND["audio"])
        await send(APPEND)
        with counted() as sdk:
            finished(resource.append(audio=APPEND["audio"]))
        with counted() as ours:
            finished(send(APPEND))
    assert ours[0] / sdk[0] < 1 / 15
