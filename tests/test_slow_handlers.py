"""Handlers that hold up the others are found and named."""

import asyncio
import logging

import pytest

from fakes import FakeConnection, closed_by_server
from made_events import spoken_answer
from openai_realtime_api_utils import ManualClock, hook_handlers, hook_middlewares
from openai_realtime_api_utils.handlers import by_type

COMMITTED = {"type": "input_audio_buffer.committed", "event_id": "e", "item_id": "i"}


def taking(clock, *seconds):
    """Return a handler that takes so long over its first, second, ... event."""
    each = iter(seconds)

    def ponder(event, metadata, connection):
        clock.advance(next(each, 0.0))
        return event, metadata

    return ponder


async def received(clock, server_event_handlers, events=1, **options):
    """Receive events through handlers until the server closes."""
    connection = FakeConnection(*[COMMITTED] * events, closed_by_server(1000))
    with hook_handlers(connection, server_event_handlers, [], clock=clock, **options) as (keep_receiving, _):
        await keep_receiving()


async def test_a_slow_handler_is_named(caplog):
    """The warning says who, how long, over what, and what to do."""
    clock = ManualClock()
    await received(clock, [taking(clock), taking(clock, 0.08), taking(clock, 0.001)])
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "taking.<locals>.ponder took 80 ms over input_audio_buffer.committed" in record.getMessage()
    assert "asyncio.to_thread" in record.getMessage()


async def test_a_middleware_is_named_by_its_class(caplog):
    """However its handler came to be."""
    clock = ManualClock()

    class Pondering:
        server_event_handler = by_type({COMMITTED["type"]: lambda _self, _event, _metadata: clock.advance(0.08)})

    await received(clock, [Pondering().server_event_handler])
    (record,) = caplog.records
    assert "Pondering.server_event_handler took 80 ms over input_audio_buffer.committed" in record.getMessage()


async def test_waiting_is_told_apart_from_blocking(caplog):
    """A handler that awaits holds up its own session only, and is told to spawn."""
    clock = ManualClock()

    async def wait(event, metadata, connection):
        clock.advance(0.2)
        return event, metadata

    await received(clock, [wait])
    (record,) = caplog.records
    assert "wait took 200 ms" in record.getMessage()
    assert "send.spawn" in record.getMessage()


async def test_what_stays_within_the_limit_is_not_told(caplog):
    """Neither 50 ms in all nor several handlers' time in sum is too much."""
    clock = ManualClock()
    await received(clock, [taking(clock, 0.03), taking(clock, 0.03)])
    assert caplog.records == []


async def test_it_is_told_once_and_again_when_it_gets_much_worse(caplog):
    """A handler that is slow on each of thousands of events does not fill the log."""
    clock = ManualClock()
    await received(clock, [taking(clock, 0.06, 0.07, 0.09, 0.125, 0.13)], events=5)
    assert ["60 ms", "125 ms"] == [f"{record.args[1]:.0f} ms" for record in caplog.records]


async def test_the_limit_can_be_set(caplog):
    """Whoever wants to know of less asks for less, in both forms."""
    clock = ManualClock()
    await received(clock, [taking(clock, 0.01)], slow_handler_ms=5)

    class Pondering:
        def server_event_handler(self, event, metadata, connection):
            clock.advance(0.2)
            return event, metadata

    connection = FakeConnection(COMMITTED, closed_by_server(1000))
    async with hook_middlewares(connection, [Pondering()], clock=clock, slow_handler_ms=300) as session:
        await session.closed
    assert ["10 ms"] == [f"{record.args[1]:.0f} ms" for record in caplog.records]


async def test_client_handlers_are_watched_too(caplog):
    """What holds up sending is named as well."""
    clock = ManualClock()
    with hook_handlers(FakeConnection(), [], [taking(clock, 0.07)], clock=clock) as (_, send):
        await send({"type": "input_audio_buffer.clear"})
    assert "took 70 ms over input_audio_buffer.clear" in caplog.text


async def test_an_interruption_is_not_held_up_by_a_burst():
    """Fifty deltas that wait in the socket are handled at one go: what is behind them comes in the same loop turn."""
    seen, turns = [], 0
    burst = spoken_answer("r", "i", "h", *["word"] * 50, audio="AAAA" * 2000)
    frames = [event.to_json().encode() for event in burst]
    started = {"type": "input_audio_buffer.speech_started", "event_id": "e", "item_id": "u", "audio_start_ms": 0}
    connection = FakeConnection(*frames, started, closed_by_server(1000))

    def note(event, metadata, _connection):
        seen.append((event.type, turns))
        return event, metadata

    def turn():
        nonlocal turns
        turns += 1
        loop.call_soon(turn)

    loop = asyncio.get_running_loop()
    with hook_handlers(connection, [note], []) as (keep_receiving, _):
        loop.call_soon(turn)
        await keep_receiving()
    assert len(seen) == len(frames) + 1
    assert seen[0][1] == seen[-1][1]


@pytest.mark.parametrize("is_async", [False, True])
async def test_an_exception_is_not_taken_for_slowness(caplog, is_async):
    """A handler that raises leaves with its note; nobody is told to be slow."""
    clock = ManualClock()

    def fail(event, metadata, connection):
        clock.advance(1.0)
        raise ValueError("no")

    async def fail_later(event, metadata, connection):
        return fail(event, metadata, connection)

    with pytest.raises(ValueError, match="no"):
        await received(clock, [fail_later if is_async else fail])
    assert caplog.records == []
