"""A conversation is resumed on Azure, as far as its address, its keys and its dialect are known.

The dialect is that of a recorded session: what becomes of a part is said twice, and rate limits are never told.
"""

import json
import ssl
from contextlib import asynccontextmanager

import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI

from certificates import make_certificate
from exchange import texts
from openai_realtime_api_utils import SystemClock
from openai_realtime_api_utils.simulator import ScriptedEngine, Settings, serve
from talking import TEXT, Talk

KEY = "azure-key"
SETTINGS = Settings(first_audio_s=0, text_tokens_per_s=10_000, api_keys=frozenset({KEY}), refuse_key="http")


class InAzuresWords:
    """Be a connection to the service on Azure."""

    def __init__(self, connection):
        self._connection = connection

    async def recv_bytes(self):
        while True:
            event = json.loads(await self._connection.recv_bytes())
            if event["type"].startswith("response.content_part."):
                event["content"] = event["part"]
            if event["type"] != "rate_limits.updated":
                return json.dumps(event).encode()

    async def send_raw(self, data):
        await self._connection.send_raw(data)

    async def close(self, **told):
        await self._connection.close(**told)


@pytest.mark.parametrize("address", ["endpoint", "deployment", "v1"])
async def test_a_conversation_goes_on_at_azure(tmp_path, address):
    """By each of the SDK's ways to it: a turn, a drop, another turn; the model knows all of it."""
    certificate = make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    trusting = ssl.create_default_context(cafile=certificate)
    engine = ScriptedEngine(["1", "2"])
    asked, real = [], []

    async with serve(lambda: engine, settings=SETTINGS, tls=tls) as server:
        place = f"https://{server.host}:{server.port}"
        client = {
            "endpoint": lambda: AsyncAzureOpenAI(azure_endpoint=place, api_key=KEY, api_version="2025-08-28"),
            "deployment": lambda: AsyncAzureOpenAI(
                azure_endpoint=place, azure_deployment="mine", api_key=KEY, api_version="2025-08-28"
            ),
            "v1": lambda: AsyncOpenAI(base_url=f"{place}/openai/v1", api_key=KEY),
        }[address]()

        @asynccontextmanager
        async def connect():
            options = {"ssl": trusting}
            async with client.realtime.connect(model="gpt-realtime-2.1", websocket_connection_options=options) as it:
                asked.append(str(it._connection.request.path))
                real.append(it)
                yield InAzuresWords(it)

        talk = Talk(None, SystemClock())
        async with client, talk.held(connect=connect):
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.turn("One.")
            real[0]._connection.transport.abort()
            await talk.events.until("local.session_replaced")
            await talk.turn("Two.")

    assert ["One.", "1", "Two."] == texts(engine.turns[-1].items)
    assert ["One.", "1", "Two.", "2"] == [item.text for item in talk.conversation.items]
    assert [] == talk.events.of("error")
    path, query = {
        "endpoint": ("/openai/realtime", "deployment=gpt-realtime-2.1"),
        "deployment": ("/openai/realtime", "deployment=mine"),
        "v1": ("/openai/v1/realtime", "model=gpt-realtime-2.1"),
    }[address]
    assert 2 == len(asked)
    assert all(each.startswith(f"{path}?") and query in each for each in asked)


async def test_a_wrong_key_is_not_tried_again(tmp_path):
    """Azure refuses it before the upgrade (measured by others); that is final."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate = make_certificate(tmp_path)
    tls.load_cert_chain(certificate)
    async with serve(ScriptedEngine, settings=SETTINGS, tls=tls) as server:
        client = AsyncAzureOpenAI(
            azure_endpoint=f"https://{server.host}:{server.port}", api_key="wrong", api_version="2025-08-28"
        )
        options = {"ssl": ssl.create_default_context(cafile=certificate)}
        talk = Talk(None, SystemClock())
        with pytest.raises(Exception, match="401"):
            async with (
                client,
                talk.held(
                    connect=lambda: client.realtime.connect(model="m", websocket_connection_options=options)
                ) as session,
            ):
                await session.closed
    assert [] == talk.changes
