"""Faults at a real socket: what ``websockets`` and the SDK make of them."""

import asyncio
import json

import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from openai_realtime_api_utils.simulator import Faults, ScriptedEngine, Settings, serve

KEY = {"Authorization": "Bearer key"}
FAST = Settings(first_audio_s=0, pace=100, text_tokens_per_s=10_000)


def engine():
    return ScriptedEngine({"": "Hello to you."})


async def talk(server):
    """Ask for a response; return the types that came, and the code of the close if there was one."""
    seen = []
    async with connect(f"{server.url}/realtime", additional_headers=KEY) as client:
        try:
            await client.send('{"type": "response.create"}')
            while seen[-1:] != ["rate_limits.updated"]:
                seen.append(json.loads(await client.recv())["type"])
        except ConnectionClosed as closed:
            return seen, closed.rcvd.code if closed.rcvd else 1006
    return seen, None


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1008, 1011, 1012, 3000])
async def test_close_codes(code):
    """The client sees the code, after the event that was named."""
    async with serve(engine, settings=FAST, faults=Faults(close_at=("response.content_part.added", code))) as server:
        seen, closed_with = await talk(server)
    assert (seen[-1], closed_with) == ("response.content_part.added", code)


async def test_first_connections_only():
    """Who comes back is served."""
    faults = Faults(close_at=("response.created", 1011), connections=2)
    async with serve(engine, settings=FAST, faults=faults) as server:
        codes = [(await talk(server))[1] for _ in range(3)]
    assert codes == [1011, 1011, None]


async def test_refused_handshakes():
    """So many handshakes are refused, with the status that was asked for; then one is not."""
    async with serve(engine, settings=FAST, faults=Faults(refuse_handshake=503, connections=2)) as server:
        statuses = []
        for _ in range(2):
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"{server.url}/realtime", additional_headers=KEY)
            statuses.append(refused.value.response.status_code)
        seen, _ = await talk(server)
    assert statuses == [503, 503]
    assert seen[-1] == "rate_limits.updated"


async def test_half_open():
    """Nothing is answered any more, not even a ping or a close; leaving the server ends it."""
    async with serve(engine, settings=FAST, faults=Faults(half_open_at="response.created")) as server:
        async with connect(f"{server.url}/realtime", additional_headers=KEY, close_timeout=0.1) as client:
            await client.send('{"type": "response.create"}')
            seen = [json.loads(await client.recv())["type"] for _ in range(2)]
            pong = await client.ping()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pong, 0.2)
        waiting = await connect(f"{server.url}/realtime", additional_headers=KEY, close_timeout=0.1)
        await waiting.send('{"type": "response.create"}')
        assert [json.loads(await waiting.recv())["type"] for _ in range(2)] == seen
    with pytest.raises(ConnectionClosed) as lost:
        await waiting.recv()
    assert seen == ["session.created", "response.created"]
    assert lost.value.rcvd is None


async def test_sdk_through_a_bad_line():
    """The SDK still gets its whole answer through latency, jitter and lateness."""
    faults = Faults(seed=3, latency_s=0.01, jitter_s=0.02, reorder=0.5)
    async with (
        serve(engine, settings=FAST, faults=faults) as server,
        AsyncOpenAI(api_key="key", websocket_base_url=server.url) as client,
        client.realtime.connect(model="gpt-realtime") as connection,
    ):
        await connection.response.create()
        said = ""
        async for event in connection:
            if event.type == "response.output_audio_transcript.delta":
                said += event.delta
            if event.type == "response.done":
                break
    assert said == "Hello to you."
