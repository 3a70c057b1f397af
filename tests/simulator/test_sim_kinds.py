"""The other kinds of session at a real socket, by the SDK's own connections."""

import base64

import numpy as np
import pytest
from openai import AsyncOpenAI

from openai_realtime_api_utils.simulator import ScriptedEngine, Settings, serve
from simulated import LoudVad, loud, quiet

FAST = Settings(pace=100, first_audio_s=0)
SPEECH = base64.b64encode(np.concatenate((loud(1), quiet(1))).tobytes()).decode()


def engine():
    return ScriptedEngine(["Buenos d\u00edas."], hears=["good morning"])


async def until(connection, event_type):
    while True:
        event = await connection.recv()
        if event.type == event_type:
            return event


@pytest.mark.reported
async def test_transcription_by_intent():
    """``?intent=transcription`` opens a transcription session."""
    async with (
        serve(engine, settings=FAST, vad=LoudVad) as server,
        AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client,
        client.realtime.connect(extra_query={"intent": "transcription"}) as connection,
    ):
        assert (await connection.recv()).session.type == "transcription"
        audio = {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}
        await connection.session.update(session={"type": "transcription", "audio": audio})
        await connection.input_audio_buffer.append(audio=SPEECH)
        completed = await until(connection, "conversation.item.input_audio_transcription.completed")
    assert completed.transcript == "good morning"


async def test_transcription_by_key():
    """A key that was minted for a transcription session opens one, with its settings."""
    async with (
        serve(engine, settings=FAST, vad=LoudVad) as server,
        AsyncOpenAI(api_key="any", base_url=server.http_url) as client,
    ):
        session = {"type": "transcription", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
        secret = await client.realtime.client_secrets.create(session=session)
        async with (
            AsyncOpenAI(api_key=secret.value, base_url=server.http_url) as guest,
            guest.realtime.connect() as connection,
        ):
            created = await connection.recv()
    assert created.session.audio.input.transcription.model == "whisper-1"


async def test_translation():
    """The path of translations opens a translation session, and the SDK's connection for it works."""
    async with (
        serve(engine, settings=FAST, vad=LoudVad) as server,
        AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client,
        client.realtime.translations.connect(model="gpt-realtime-translate") as connection,
    ):
        assert (await connection.recv()).session.model == "gpt-realtime-translate"
        await connection.session.update(session={"audio": {"output": {"language": "es"}}})
        await connection.session.input_audio_buffer.append(audio=SPEECH)
        said = ""
        while said != "Buenos d\u00edas.":
            said += (await until(connection, "session.output_transcript.delta")).delta
        await connection.session.close()
        await until(connection, "session.closed")
