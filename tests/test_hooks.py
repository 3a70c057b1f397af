"""``hook_handlers``: events through the handlers, both ways; ends and failures where they can be seen."""

import asyncio
import logging

import pytest
from openai.types.realtime import ResponseCancelEvent

from fakes import FakeConnection, closed_by_server, closed_by_us
from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import ConnectionLost, HandlerError, LocalProtocolError
from openai_realtime_api_utils.handlers import HANDLED, RECEIVED_AT, SENT_BY
from openai_realtime_api_utils.hooks import hook_handlers

COMMITTED = {"type": "input_audio_buffer.committed", "event_id": "event_1", "item_id": "item_1"}
CLEAR = {"type": "input_audio_buffer.clear"}
OVER = closed_by_server(1000)


def keeping(kept):
    """Return a handler that keeps what it sees."""

    def handler(event, metadata, connection):
        kept.append((event, metadata))
        return event, metadata

    return handler


def drop(event, metadata, connection):
    return None, metadata


async def test_server_events_run_through_the_handlers():
    """A frame becomes a typed event with the time of its receipt in fresh metadata."""
    kept, clock = [], ManualClock(5.0)
    with hook_handlers(FakeConnection(COMMITTED, COMMITTED, OVER), [keeping(kept)], [], clock=clock) as hooked:
        await hooked.keep_receiving()
    (event, metadata), (_, other) = kept
    assert (event.type, event.item_id) == ("input_audio_buffer.committed", "item_1")
    assert RECEIVED_AT.get(metadata) == 5.0
    assert metadata is not other


async def test_unknown_events_pass():
    """A type that nobody knows reaches the handlers with its fields."""
    kept = []
    connection = FakeConnection({"type": "response.dance.delta", "event_id": "event_2", "step": {"foot": "left"}}, OVER)
    with hook_handlers(connection, [keeping(kept)], []) as (keep_receiving, _):
        await keep_receiving()
    ((event, _),) = kept
    assert (event.type, event.step) == ("response.dance.delta", {"foot": "left"})


async def test_an_unreadable_frame_is_told_and_skipped(caplog):
    """Garbage from the server costs one warning, not the session."""
    kept = []
    connection = FakeConnection(b"not json", b"[1]", b'{"no":"type"}', b"\xff\xfe", COMMITTED, OVER)
    with hook_handlers(connection, [keeping(kept)], []) as (keep_receiving, _):
        await keep_receiving()
    assert [event.type for event, _ in kept] == ["input_audio_buffer.committed"]
    assert len(caplog.records) == 4
    assert "is not JSON: 'not json'" in caplog.text


async def test_send_returns_the_event_as_sent():
    """What the handlers made of the event is sent and returned."""
    connection = FakeConnection()

    def name(event, metadata, connection):
        return {**event, "event_id": "mine"}, metadata

    with hook_handlers(connection, [], [name]) as (_, send):
        sent = await send(CLEAR)
    assert sent == {"type": "input_audio_buffer.clear", "event_id": "mine"}
    assert connection.sent == [sent]


async def test_a_dropped_client_event_is_not_sent():
    """None from a client handler really keeps the event off the wire."""
    connection, kept = FakeConnection(), []
    with hook_handlers(connection, [], [drop, keeping(kept)]) as (_, send):
        assert await send(CLEAR) is None
    assert (connection.sent, kept) == ([], [])


async def test_sdk_events_reach_client_handlers_as_dicts():
    """An SDK model is sent as what was set in it."""
    connection, kept = FakeConnection(), []
    with hook_handlers(connection, [], [keeping(kept)]) as (_, send):
        await send(ResponseCancelEvent(type="response.cancel", response_id="resp_1"))
    assert connection.sent == [{"type": "response.cancel", "response_id": "resp_1"}]
    assert kept == [({"type": "response.cancel", "response_id": "resp_1"}, {})]


async def test_async_handlers_are_awaited_in_their_place():
    """A slow handler does not let a later one see the event first."""
    order = []

    async def slow(event, metadata, connection):
        await asyncio.sleep(0)
        order.append("slow")
        return event, metadata

    def quick(event, metadata, connection):
        order.append("quick")
        return event, metadata

    with hook_handlers(FakeConnection(COMMITTED, OVER), [slow, quick], []) as (keep_receiving, _):
        await keep_receiving()
    assert order == ["slow", "quick"]


async def test_the_sender_is_named():
    """Events of a middleware carry its name; the user's own carry none."""
    kept = []
    with hook_handlers(FakeConnection(), [], [keeping(kept)]) as (_, send):
        await send(CLEAR)
        await send.by("Interrupt")(CLEAR)
    assert [SENT_BY.get(metadata) for _, metadata in kept] == [None, "Interrupt"]


@pytest.mark.parametrize("event", [{}, {"type": 3}, "response.create", None, 7, {"audio": "AAAA"}])
async def test_what_is_not_an_event_is_refused(event):
    """Sending nonsense raises one sentence and sends nothing."""
    connection = FakeConnection()
    with hook_handlers(connection, [], []) as (_, send):
        with pytest.raises(LocalProtocolError, match="A client event is a dict or an SDK event with a 'type'"):
            await send(event)
    assert connection.sent == []


async def test_bytes_as_audio_are_refused_with_the_mend():
    """Raw bytes in an append are answered with how to encode them."""
    with hook_handlers(FakeConnection(), [], []) as (_, send), pytest.raises(LocalProtocolError, match="base64"):
        await send({"type": "input_audio_buffer.append", "audio": b"\0\0"})


async def test_an_error_in_a_server_handler_leaves_through_keep_receiving():
    """The pump does not die silently, and its error names the handler."""

    def breaks(event, metadata, connection):
        raise KeyError("what")

    with hook_handlers(FakeConnection(COMMITTED), [breaks], []) as (keep_receiving, _):
        with pytest.raises(KeyError) as caught:
            await keep_receiving()
    assert "breaks" in caught.value.__notes__[0]
    assert "event_1" in caught.value.__notes__[0]


async def test_an_error_in_a_client_handler_leaves_through_send():
    """Who sends sees what a client handler raised; nothing is sent."""

    def breaks(event, metadata, connection):
        raise KeyError("what")

    connection = FakeConnection()
    with hook_handlers(connection, [], [breaks]) as (_, send), pytest.raises(KeyError):
        await send(CLEAR)
    assert connection.sent == []


@pytest.mark.parametrize("end", [closed_by_server(1000, "bye"), closed_by_us(), closed_by_us(1001), closed_by_us(4000)])
async def test_an_orderly_end_returns(end):
    """After our own close, whatever its code, and after a server's 1000, receiving is simply over."""
    with hook_handlers(FakeConnection(end), [], []) as (keep_receiving, _):
        assert await keep_receiving() is None


@pytest.mark.parametrize(
    ("end", "code", "reason"),
    [
        (closed_by_server(1001, "Your session hit the maximum duration of 60 minutes."), 1001, "Your session hit"),
        (closed_by_server(1005), 1005, ""),
        (closed_by_server(1011, "internal"), 1011, "internal"),
        (closed_by_server(3000, "invalid_request_error.invalid_api_key"), 3000, "invalid_api_key"),
        (closed_by_server(4000), 4000, ""),
        (ConnectionResetError("reset by peer"), 1006, "reset by peer"),
        (ConnectionLost(1006, "half open"), 1006, "half open"),
    ],
)
async def test_every_other_end_is_a_loss(end, code, reason):
    """Any other close raises ConnectionLost with its code and reason, 1001 and 1005 included."""
    with hook_handlers(FakeConnection(end), [], []) as (keep_receiving, _):
        with pytest.raises(ConnectionLost, match=f"code {code}") as caught:
            await keep_receiving()
    assert caught.value.code == code
    assert reason in caught.value.reason


async def test_a_keepalive_timeout_is_a_loss():
    """When the library gives up on a silent peer, it closes with 1011 by itself: that is no close of ours."""
    from websockets.exceptions import ConnectionClosedError
    from websockets.frames import Close

    end = ConnectionClosedError(None, Close(1011, "keepalive ping timeout"), rcvd_then_sent=None)
    with hook_handlers(FakeConnection(end), [], []) as (keep_receiving, _):
        with pytest.raises(ConnectionLost, match="keepalive ping timeout") as caught:
            await keep_receiving()
    assert caught.value.code == 1006


async def test_sending_into_a_lost_connection_raises_connection_lost():
    """The event that was not sent is named."""
    connection = FakeConnection()
    connection.closed = closed_by_server(1011, "internal")
    with hook_handlers(connection, [], []) as (_, send):
        with pytest.raises(ConnectionLost, match=r"input_audio_buffer.clear was not sent") as caught:
            await send(CLEAR)
    assert caught.value.code == 1011


async def test_spawned_failure_ends_keep_receiving():
    """A microphone that dies surfaces in keep_receiving, named."""

    async def microphone():
        raise OSError("unplugged")

    with hook_handlers(FakeConnection(), [], []) as (keep_receiving, send):
        send.by("StreamMic").spawn(microphone(), name="microphone")
        with pytest.raises(OSError, match="unplugged") as caught:
            await keep_receiving()
    assert caught.value.__notes__ == ["in the background work 'StreamMic: microphone'"]


async def test_spawned_failure_is_raised_by_the_next_send():
    """If nobody receives, the next send raises it."""

    async def fails():
        raise OSError("unplugged")

    with hook_handlers(FakeConnection(), [], []) as (_, send):
        send.spawn(fails(), name="w")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        with pytest.raises(OSError, match="unplugged"):
            await send(CLEAR)


async def test_spawned_failure_is_raised_by_the_end_of_the_block():
    """If nobody receives or sends, leaving the block raises it."""

    async def fails():
        raise OSError("unplugged")

    with pytest.raises(OSError, match="unplugged"), hook_handlers(FakeConnection(), [], []) as (_, send):
        send.spawn(fails(), name="w")
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_an_error_of_the_block_is_not_hidden(caplog):
    """The block's own error comes out; the other one is logged."""

    async def fails():
        raise OSError("unplugged")

    with pytest.raises(ZeroDivisionError), hook_handlers(FakeConnection(), [], []) as (_, send):
        send.spawn(fails(), name="w")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        raise ZeroDivisionError
    assert "unplugged" in caplog.text


async def test_leaving_the_block_ends_keep_receiving_and_spawned_work():
    """The fixed program's unreferenced create_task(keep_receiving()) ends with the block."""
    with hook_handlers(FakeConnection(), [], []) as (keep_receiving, send):
        receiving = asyncio.get_running_loop().create_task(keep_receiving())
        spawned = send.spawn(asyncio.Event().wait(), name="w")
        await asyncio.sleep(0)
    await asyncio.wait({receiving, spawned})
    assert receiving.cancelled()
    assert spawned.cancelled()


async def test_receiving_twice_is_refused():
    """Two receivers would steal each other's events."""
    with hook_handlers(FakeConnection(), [], []) as (keep_receiving, _):
        receiving = asyncio.get_running_loop().create_task(keep_receiving())
        await asyncio.sleep(0)
        with pytest.raises(HandlerError, match="received from already"):
            await keep_receiving()
    await asyncio.wait({receiving})


async def test_a_connection_without_raw_frames_is_used_as_it_is():
    """recv() and send() are the fallback for connections that have nothing lower."""

    class Event:
        type = "session.created"

    class Parsed:
        sent: list = []  # noqa: RUF012

        async def recv(self):
            if self.sent:
                raise OVER
            await asyncio.sleep(0)
            self.sent.append("received")
            return Event()

        async def send(self, event):
            self.sent.append(event)

    kept, connection = [], Parsed()
    with hook_handlers(connection, [keeping(kept)], []) as (keep_receiving, send):
        await keep_receiving()
        await send(CLEAR)
    assert [event.type for event, _ in kept] == ["session.created"]
    assert connection.sent == ["received", CLEAR]


def refusal(code="invalid_value", event_id="evt_1", message="No."):
    error = {"type": "invalid_request_error", "code": code, "message": message, "param": None, "event_id": event_id}
    return {"type": "error", "event_id": "event_9", "error": error}


def failed_response():
    error = {"type": "server_error", "code": "rate_limit_exceeded", "message": "Slow down."}
    response = {"id": "resp_1", "object": "realtime.response", "status": "failed", "output": []}
    return {
        "type": "response.done",
        "event_id": "event_9",
        "response": {**response, "status_details": {"type": "failed", "error": error}},
    }


async def logged(caplog, frame, *handlers):
    caplog.set_level(logging.INFO)
    with hook_handlers(FakeConnection(frame, OVER), handlers, []) as (keep_receiving, send):
        await send({"type": "session.update", "event_id": "evt_1", "session": {}})
        await keep_receiving()
    return [(record.levelname, record.getMessage()) for record in caplog.records]


async def test_an_error_event_is_logged_with_what_caused_it(caplog):
    """Nobody debugs a silent refusal: code, message and the refused event are in one warning."""
    expected = [("WARNING", "The server refused session.update evt_1: No. (invalid_value)")]
    assert await logged(caplog, refusal()) == expected


async def test_an_error_without_a_known_cause_is_logged(caplog):
    """An error that answers nothing we know is told all the same."""
    assert await logged(caplog, refusal(event_id=None)) == [
        ("WARNING", "The server refused something: No. (invalid_value)")
    ]


async def test_a_harmless_refusal_is_no_warning(caplog):
    """A cancel that came too late is information."""
    ((level, _),) = await logged(caplog, refusal("response_cancel_not_active"))
    assert level == "INFO"


async def test_a_failed_response_is_logged(caplog):
    """A response may fail without an error event."""
    expected = [("WARNING", "The response resp_1 failed: Slow down. (rate_limit_exceeded)")]
    assert await logged(caplog, failed_response()) == expected


@pytest.mark.parametrize("frame", [refusal(), failed_response()])
async def test_what_a_handler_handled_is_not_logged(caplog, frame):
    """A handler that dealt with it says so in the metadata."""

    def handles(event, metadata, connection):
        HANDLED.put(metadata, True)
        return None, metadata

    assert await logged(caplog, frame, handles) == []


async def test_a_key_in_an_error_message_is_not_logged(caplog):
    """The service quotes keys back; logs do not."""
    frame = refusal("invalid_api_key", message="Incorrect API key provided: sk-proj-abc123def456.")
    ((_, text),) = await logged(caplog, frame)
    assert "abc123" not in text


async def test_a_malformed_error_event_is_logged(caplog):
    """An error event without an error inside does not break the pump."""
    ((level, _),) = await logged(caplog, {"type": "error", "event_id": "event_9"})
    assert level == "WARNING"
