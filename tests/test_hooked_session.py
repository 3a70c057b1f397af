"""``hook_middlewares``: the short form."""

import asyncio

import pytest

from fakes import FakeConnection, closed_by_server
from openai_realtime_api_utils.errors import ConnectionLost, HandlerError
from openai_realtime_api_utils.handlers import SENT_BY
from openai_realtime_api_utils.hooked_session import hook_middlewares

COMMITTED = {"type": "input_audio_buffer.committed", "event_id": "event_1", "item_id": "item_1"}


class Watches:
    def __init__(self, log, name):
        self.log, self.name = log, name

    def server_event_handler(self, event, metadata, connection):
        self.log.append((self.name, event.type))
        return event, metadata


class Both(Watches):
    def client_event_handler(self, event, metadata, connection):
        self.log.append((self.name, event["type"], SENT_BY.get(metadata)))
        return event, metadata


class Sends:
    def register_send_with_handlers(self, send):
        self.send = send


class Entered(Watches):
    def __enter__(self):
        self.log.append((self.name, "entered"))
        return self

    def __exit__(self, *exc):
        self.log.append((self.name, "left"))


class EnteredAsync(Watches):
    async def __aenter__(self):
        self.log.append((self.name, "entered"))

    async def __aexit__(self, *exc):
        self.log.append((self.name, "left"))


async def test_events_run_through_all_middlewares_in_order():
    """Both directions follow the list; whoever has no handler for one is passed over."""
    log, sends = [], Sends()
    connection = FakeConnection(COMMITTED, closed_by_server(1000))
    async with hook_middlewares(connection, [Watches(log, "a"), sends, Both(log, "b")]) as session:
        await session.send({"type": "input_audio_buffer.clear"})
        await sends.send({"type": "input_audio_buffer.commit"})
        await session.closed
    assert log == [
        ("b", "input_audio_buffer.clear", None),
        ("b", "input_audio_buffer.commit", "Sends"),
        ("a", "input_audio_buffer.committed"),
        ("b", "input_audio_buffer.committed"),
    ]


async def test_context_managers_are_entered_and_left():
    """Those that are context managers live as long as the block, left in reverse order."""
    log = []
    async with hook_middlewares(FakeConnection(), [Entered(log, "a"), EnteredAsync(log, "b")]):
        pass
    assert log == [("a", "entered"), ("b", "entered"), ("b", "left"), ("a", "left")]


async def test_its_error_is_raised_at_the_end():
    """Who does not await session.closed learns of a loss when the block ends."""
    with pytest.raises(ConnectionLost, match="1011"):
        async with hook_middlewares(FakeConnection(closed_by_server(1011)), [Sends()]):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)


async def test_an_error_that_was_seen_is_not_raised_again():
    """Who caught it from session.closed has dealt with it."""
    async with hook_middlewares(FakeConnection(closed_by_server(1011)), [Sends()]) as session:
        with pytest.raises(ConnectionLost):
            await session.closed


async def test_an_error_in_the_block_comes_first():
    """The block's own error is the one that comes out."""
    with pytest.raises(ZeroDivisionError):
        async with hook_middlewares(FakeConnection(closed_by_server(1011)), [Sends()]):
            await asyncio.sleep(0)
            raise ZeroDivisionError


async def test_giving_up_waiting_does_not_end_the_session():
    """Cancelling somebody who awaits session.closed leaves the session as it is."""
    log, connection = [], FakeConnection()
    async with hook_middlewares(connection, [Watches(log, "a")]) as session:
        waiting = asyncio.get_running_loop().create_task(session.closed)
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        connection.inbox.put_nowait(COMMITTED)
        connection.inbox.put_nowait(closed_by_server(1000))
        await session.closed
    assert log == [("a", "input_audio_buffer.committed")]


@pytest.mark.parametrize(
    ("wrong", "said"), [(print, "hook_handlers"), (Sends, "an instance"), (None, "not a middleware")]
)
async def test_what_is_no_middleware_is_refused(wrong, said):
    """The refusal says what a middleware is."""
    with pytest.raises(HandlerError, match=said):
        async with hook_middlewares(FakeConnection(), [wrong]):
            pass
