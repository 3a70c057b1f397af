"""The ``openai`` package's own connections, asynchronous and blocking, with every method that they have."""

import asyncio
import base64

import numpy as np
import pytest
from openai import AsyncOpenAI, BadRequestError, OpenAI, OpenAIError

from openai_realtime_api_utils.simulator import (
    Call,
    LocalEngine,
    ScriptedEngine,
    Settings,
    serve,
    synthetic_speech,
)

FAST = Settings(first_audio_s=0, pace=100, text_tokens_per_s=10_000)
TEXT = {"type": "realtime", "output_modalities": ["text"]}
TOOL = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}


def message(text, **fields):
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **fields}


def sound(samples):
    return base64.b64encode(np.asarray(samples, np.int16).tobytes()).decode()


async def until(connection, event_type):
    """Return the next event of a type, and skip what comes before it."""
    async for event in connection:
        if event.type == event_type:
            return event
    raise AssertionError(f"no {event_type} came")


def until_blocking(connection, event_type):
    return next(event for event in connection if event.type == event_type)


@pytest.fixture
async def served():
    """Serve sessions that always have the same answers."""
    async with serve(
        lambda: ScriptedEngine({"weather": Call("get_weather"), "": "Hello to you."}), settings=FAST
    ) as server:
        yield server


@pytest.fixture
async def connection(served, wire):
    async with (
        AsyncOpenAI(api_key="any", websocket_base_url=served.url) as client,
        client.realtime.connect(model="gpt-realtime-2.1") as opened,
    ):
        yield opened


async def test_session_update(connection):
    """``session.update`` is answered with the whole session."""
    await connection.session.update(session={**TEXT, "tools": [TOOL]})
    event = await until(connection, "session.updated")
    assert (event.session.output_modalities, event.session.tools[0].name) == (["text"], "get_weather")


async def test_items(connection):
    """Items are created where it is asked, retrieved and deleted."""
    await connection.conversation.item.create(item=message("one", id="item_1"))
    await connection.conversation.item.create(item=message("two", id="item_2"), previous_item_id="root")
    await connection.conversation.item.retrieve(item_id="item_1")
    await connection.conversation.item.delete(item_id="item_2")
    assert (await until(connection, "conversation.item.retrieved")).item.content[0].text == "one"
    assert (await until(connection, "conversation.item.deleted")).item_id == "item_2"


async def test_truncate(connection):
    """An answer is truncated."""
    await connection.response.create()
    done = await until(connection, "response.done")
    item_id = done.response.output[0].id
    await connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=100)
    truncated = await until(connection, "conversation.item.truncated")
    assert (truncated.item_id, truncated.audio_end_ms) == (item_id, 100)


async def test_input_audio_buffer(connection):
    """Sound is appended and committed, or cleared."""
    await connection.session.update(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
    await connection.input_audio_buffer.append(audio=sound(synthetic_speech("hello there")))
    await connection.input_audio_buffer.commit()
    committed = await until(connection, "input_audio_buffer.committed")
    assert (await until(connection, "conversation.item.added")).item.id == committed.item_id
    await connection.input_audio_buffer.append(audio=sound(synthetic_speech("hello there")))
    await connection.input_audio_buffer.clear()
    assert (await until(connection, "input_audio_buffer.cleared")).type == "input_audio_buffer.cleared"


async def test_response_out_of_band(connection):
    """``response.create`` passes its own settings, and they are echoed."""
    await connection.response.create(
        response={"conversation": "none", "output_modalities": ["text"], "metadata": {"topic": "greeting"}, "input": []}
    )
    done = await until(connection, "response.done")
    assert (done.response.metadata, done.response.output_modalities) == ({"topic": "greeting"}, ["text"])
    assert done.response.output[0].content[0].text == "Hello to you."


async def test_function_call_round(connection):
    """A call's output goes back, and the answer follows."""
    await connection.session.update(session={**TEXT, "tools": [TOOL]})
    await connection.conversation.item.create(item=message("weather"))
    await connection.response.create()
    called = await until(connection, "response.function_call_arguments.done")
    await until(connection, "response.done")
    await connection.conversation.item.create(
        item={"type": "function_call_output", "call_id": called.call_id, "output": "sunny"}
    )
    await connection.response.create()
    assert (await until(connection, "response.output_text.done")).text == "Hello to you."


async def test_cancel(wire):
    """``response.cancel`` ends the response; a second one is refused, under the name that the client gave it."""
    async with (
        serve(lambda: ScriptedEngine(["A long story. " * 50])) as server,
        AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client,
        client.realtime.connect(model="gpt-realtime-2.1") as connection,
    ):
        await connection.response.create()
        created = await until(connection, "response.created")
        await connection.response.cancel(response_id=created.response.id)
        assert (await until(connection, "response.done")).response.status == "cancelled"
        await connection.response.cancel(event_id="mine")
        refusal = await until(connection, "error")
        assert (refusal.error.code, refusal.error.event_id) == ("response_cancel_not_active", "mine")


@pytest.mark.reported
async def test_output_audio_buffer_is_for_calls(connection):
    """``output_audio_buffer.clear`` is no event of a WebSocket's session."""
    await connection.output_audio_buffer.clear()
    assert (await until(connection, "error")).error.code == "invalid_value"


async def test_handlers(connection):
    """``on``, ``once`` and ``off`` do as they say under ``dispatch_events``."""
    seen = []

    async def heard(event):
        seen.append(event.type)

    def never(event):
        seen.append("never")

    connection.on("response.output_audio_transcript.done", heard)
    connection.once("response.created", heard)
    connection.on("response.created", never)
    connection.off("response.created", never)

    @connection.on("rate_limits.updated")
    async def over(event):
        await connection.close()

    await connection.response.create()
    await connection.dispatch_events()
    assert seen == ["response.created", "response.output_audio_transcript.done"]


async def test_unhandled_error_event(connection):
    """``dispatch_events`` raises an error event that nobody handles."""
    await connection.conversation.item.delete(item_id="nobody")
    with pytest.raises(OpenAIError, match="item_delete_invalid_item_id"):
        await connection.dispatch_events()


async def test_http_address(served, wire):
    """The address is derived from ``base_url`` too."""
    base_url = served.url.replace("ws://", "http://")
    async with (
        AsyncOpenAI(api_key="any", base_url=base_url) as client,
        client.realtime.connect(model="gpt-realtime") as opened,
    ):
        assert (await opened.recv()).session.model == "gpt-realtime"


async def test_reconnecting(wire):
    """The SDK comes back by itself when a session expires, to a session that is new."""
    closes = []

    def on_reconnecting(event):
        closes.append((event.close_code, event.attempt))

    async with (
        serve(lambda: ScriptedEngine(["Hello."]), settings=Settings(lifetime_s=0.2)) as server,
        AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client,
        client.realtime.connect(
            model="gpt-realtime", on_reconnecting=on_reconnecting, initial_delay=0.01
        ) as connection,
    ):
        first = await until(connection, "session.created")
        second = await until(connection, "session.created")
    assert closes == [(1001, 1)]
    assert first.session.id != second.session.id


async def test_blocking_client(served, wire):
    """The blocking connection has the same methods, and the same events come."""

    def talk():
        with (
            OpenAI(api_key="any", websocket_base_url=served.url) as client,
            client.realtime.connect(model="gpt-realtime-2.1") as connection,
        ):
            connection.session.update(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
            connection.input_audio_buffer.clear()
            connection.input_audio_buffer.append(audio=sound(synthetic_speech("hello there")))
            connection.input_audio_buffer.commit()
            connection.conversation.item.create(item=message("hi", id="item_1"))
            connection.conversation.item.retrieve(item_id="item_1")
            assert until_blocking(connection, "conversation.item.retrieved").item.id == "item_1"
            connection.conversation.item.delete(item_id="item_1")
            connection.response.create()
            done = until_blocking(connection, "response.done").response
            connection.conversation.item.truncate(item_id=done.output[0].id, content_index=0, audio_end_ms=10)
            connection.response.cancel(event_id="mine")
            assert until_blocking(connection, "conversation.item.truncated").audio_end_ms == 10
            assert until_blocking(connection, "error").error.event_id == "mine"
            return done.output[0].content[0].transcript

    assert await asyncio.to_thread(talk) == "Hello to you."


async def test_blocking_handlers(served, wire):
    """``dispatch_events`` of the blocking connection calls handlers until the connection is closed."""
    seen = []

    def talk():
        with (
            OpenAI(api_key="any", websocket_base_url=served.url) as client,
            client.realtime.connect(model="gpt-realtime-2.1") as connection,
        ):
            connection.on("response.done", lambda event: seen.append(event.response.status))
            connection.once("rate_limits.updated", lambda event: connection.close())
            connection.response.create()
            connection.dispatch_events()

    await asyncio.to_thread(talk)
    assert seen == ["completed"]


async def test_local_engine(wire):
    """The engine that really listens and speaks serves the SDK as well."""
    async with (
        serve(LocalEngine) as server,
        AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client,
        client.realtime.connect(model="gpt-realtime-2.1") as connection,
    ):
        await connection.session.update(session=TEXT)
        await connection.conversation.item.create(item=message("What is six times seven?"))
        await connection.response.create()
        assert "forty-two" in (await until(connection, "response.output_text.done")).text.lower()


async def test_ephemeral_key(served, wire):
    """A key that was minted opens a session with the settings that came with it."""
    base_url = served.url.replace("ws://", "http://")
    async with AsyncOpenAI(api_key="any", base_url=base_url) as client:
        secret = await client.realtime.client_secrets.create(
            expires_after={"anchor": "created_at", "seconds": 60},
            session={"type": "realtime", "model": "gpt-realtime", "instructions": "Be brief."},
        )
    assert secret.value.startswith("ek_")
    async with AsyncOpenAI(api_key=secret.value, base_url=base_url) as client, client.realtime.connect() as connection:
        created = await until(connection, "session.created")
    assert (created.session.model, created.session.instructions) == ("gpt-realtime", "Be brief.")


async def test_refused_request(served):
    """What REST refuses is the SDK's exception for it."""
    base_url = served.url.replace("ws://", "http://")
    async with AsyncOpenAI(api_key="any", base_url=base_url, max_retries=0) as client:
        with pytest.raises(BadRequestError, match="7200"):
            await client.realtime.client_secrets.create(expires_after={"anchor": "created_at", "seconds": 7201})
