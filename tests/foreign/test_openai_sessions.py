"""The ``openai`` package's transcription, translation and sideband connections, and its commands for calls."""

import asyncio
import base64

import numpy as np
import pytest
from openai import AsyncOpenAI, NotFoundError, OpenAI

from openai_realtime_api_utils.simulator import ScriptedEngine, Settings, serve, synthetic_speech

FAST = Settings(first_audio_s=0, pace=100, text_tokens_per_s=10_000)
SPEECH = np.concatenate((np.zeros(4_800, np.int16), synthetic_speech("good morning"), np.zeros(24_000, np.int16)))
CHUNK = 4_800  # samples: 200 ms, as translation wants them


def engine():
    return ScriptedEngine({"": "Buenos días."}, hears=["good morning"])


def chunks():
    for at in range(0, len(SPEECH), CHUNK):
        yield base64.b64encode(SPEECH[at : at + CHUNK].tobytes()).decode()


def joined(events, event_type):
    return "".join(event.delta for event in events if event.type == event_type)


async def until(connection, event_type):
    """Return the next event of a type, and skip what comes before it."""
    async for event in connection:
        if event.type == event_type:
            return event
    raise AssertionError(f"no {event_type} came")


@pytest.fixture
async def server(wire):
    async with serve(engine, settings=FAST) as served:
        yield served


@pytest.fixture
async def client(server):
    async with AsyncOpenAI(api_key="any", base_url=server.http_url, max_retries=0) as opened:
        yield opened


TRANSCRIPTION = {
    "type": "transcription",
    "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}, "turn_detection": {"type": "server_vad"}}},
}


async def transcript(connection):
    """Speak; return what was understood."""
    for audio in chunks():
        await connection.input_audio_buffer.append(audio=audio)
    return (await until(connection, "conversation.item.input_audio_transcription.completed")).transcript


async def test_transcription_by_intent(client, wire):
    """A connection with ``intent=transcription`` transcribes, and answers nothing."""
    async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        assert (await until(connection, "session.created")).session.type == "transcription"
        await connection.session.update(session=TRANSCRIPTION)
        await until(connection, "session.updated")
        assert await transcript(connection) == "good morning"
    assert [event for event in wire.sent if event["type"].startswith("response.")] == []


async def test_transcription_by_key(client, server):
    """A key that was minted for transcription opens such a session, configured."""
    secret = await client.realtime.client_secrets.create(session=TRANSCRIPTION)
    async with (
        AsyncOpenAI(api_key=secret.value, base_url=server.http_url) as holder,
        holder.realtime.connect() as connection,
    ):
        assert await transcript(connection) == "good morning"


async def test_translation(client, wire):
    """What is said comes back as text and speech of the other language; ``close`` brings the rest and the end."""
    events = []
    async with client.realtime.translations.connect(model="gpt-realtime-translate") as connection:
        await connection.session.update(
            session={
                "audio": {"output": {"language": "es"}, "input": {"transcription": {"model": "gpt-realtime-whisper"}}}
            }
        )
        for audio in chunks():
            await connection.session.input_audio_buffer.append(audio=audio)
        await connection.session.close()
        async for event in connection:
            events.append(event)
            if event.type == "session.closed":
                break
    assert wire.errors() == []
    assert joined(events, "session.input_transcript.delta").strip() == "good morning"
    assert joined(events, "session.output_transcript.delta").strip() == "Buenos días."
    assert joined(events, "session.output_audio.delta") != ""


async def test_translation_by_key(client, server):
    """A translation key opens a translation session with the settings that came with it."""
    session = {"model": "gpt-realtime-translate", "audio": {"output": {"language": "fr"}}}
    secret = await client.realtime.translations.client_secrets.create(session=session)
    async with (
        AsyncOpenAI(api_key=secret.value, base_url=server.http_url) as holder,
        holder.realtime.translations.connect(model="gpt-realtime-translate") as connection,
    ):
        created = await until(connection, "session.created")
    assert created.session.audio.output.language == "fr"


async def test_blocking_translation(server, wire):
    """The blocking translation connection has the same methods, and handlers."""
    seen = []

    def translate():
        with (
            OpenAI(api_key="any", base_url=server.http_url) as client,
            client.realtime.translations.connect(model="gpt-realtime-translate") as connection,
        ):
            connection.on("session.output_transcript.delta", lambda event: seen.append(event.delta))
            connection.on("session.closed", lambda event: connection.close())
            connection.session.update(session={"audio": {"output": {"language": "es"}}})
            for audio in chunks():
                connection.session.input_audio_buffer.append(audio=audio)
            connection.session.close()
            connection.dispatch_events()

    await asyncio.to_thread(translate)
    assert "".join(seen).strip() == "Buenos días."


async def test_sideband(client, server, wire):
    """A sideband configures the call it is attached to, watches it without its sound, and ends with it."""
    async with server.call() as call, client.realtime.connect(call_id=call.id) as connection:
        await connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
        first = await connection.recv()
        assert (first.type, first.session.instructions) == ("session.updated", "Be brief.")
        await call.speak(SPEECH)
        assert (await until(connection, "response.output_audio_transcript.done")).transcript == "Buenos días."
        await client.realtime.calls.hangup(call.id)
        rest = [event.type async for event in connection]
    assert "response.output_audio.delta" not in rest


async def test_call_that_is_over(client, server):
    """A call is hung up once; the second time there is none."""
    async with server.call() as call:
        await client.realtime.calls.accept(call.id, type="realtime", instructions="Be brief.")
        await client.realtime.calls.refer(call.id, target_uri="tel:+15550100")
        with pytest.raises(NotFoundError) as refused:
            await client.realtime.calls.hangup(call.id)
    assert refused.value.code == "call_id_not_found"
