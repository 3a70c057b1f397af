"""Pages in a real browser, whose key is ephemeral: through a WebSocket, in a call, and with an SDK of the browser's."""

from contextlib import asynccontextmanager

import pytest
from browsing import Site, visit
from foreign_environments import folder_of
from openai import AsyncOpenAI

from openai_realtime_api_utils.simulator import Call, ScriptedEngine, Settings, serve

OWN_KEY = "sk-of-the-server"
SECOND_BYTES = 48_000


@pytest.fixture
def browse(spoken, tmp_path):
    """Return ``browse(page, **query)``, which awaits what the page reports."""
    with Site(spoken) as site:
        yield lambda page, **query: visit(site, tmp_path / "profile", page, **query)


@asynccontextmanager
async def serving(*replies):
    """Serve to whoever has the key; yield (the server, an ephemeral key)."""
    engine = ScriptedEngine(replies, hears=["what is the weather"])
    async with serve(lambda: engine, settings=Settings(api_keys=frozenset({OWN_KEY}))) as server:
        async with AsyncOpenAI(api_key=OWN_KEY, base_url=server.http_url) as client:
            secret = await client.realtime.client_secrets.create(
                session={"type": "realtime", "model": "gpt-realtime", "instructions": "Be brief."}
            )
        yield server, secret.value


async def test_an_ephemeral_key_is_enough(browse, wire):
    """The page's session begins with the settings of the key, hears the page's sound, and answers in speech."""
    async with serving("Sunny.") as (server, key):
        report = await browse("browser_page.html", url=f"{server.url}/realtime", key=key)
    assert (report["errors"], wire.errors()) == ([], [])
    assert report["types"][:2] == ["session.created", "input_audio_buffer.speech_started"]
    assert (report["protocol"], report["instructions"]) == ("realtime", "Be brief.")
    assert (report["answer"], report["code"]) == ("Sunny.", 1000)
    assert report["bytes"] == len("Sunny.") * 0.06 * SECOND_BYTES


@pytest.mark.reported
async def test_a_wrong_key_is_seen_by_the_page(browse, wire):
    """A page cannot read an HTTP status, so the close code and its reason are all that it learns of a wrong key."""
    async with serving() as (server, _):
        report = await browse("browser_page.html", url=f"{server.url}/realtime?model=gpt-realtime", key="ek_nobody")
    assert (report["code"], report["reason"]) == (3000, "invalid_request_error.invalid_api_key")
    assert (report["types"], wire.sent) == ([], [])


async def test_a_call_by_webrtc(browse, wire):
    """From another origin, by the browser's own WebRTC: sound on tracks, events on the channel."""
    async with serving("Sunny.") as (server, key):
        report = await browse("browser_call.html", url=f"{server.http_url}/realtime/calls", key=key)
    assert (report["errors"], wire.errors()) == ([], [])
    assert report["types"][:2] == ["session.created", "input_audio_buffer.speech_started"]
    assert (report["instructions"], report["answer"]) == ("Be brief.", "Sunny.")
    assert report["call"].startswith("/v1/realtime/calls/rtc_")
    assert report["energy"] > 0.001


async def test_the_agents_sdk_in_a_browser(browse, wire):
    """Its own transport of choice there: a spoken question, a function, and the answer."""
    folder_of("openai_agents_js")
    async with serving([Call("get_weather", {"city": "Paris"})], "It is sunny in Paris.") as (server, key):
        report = await browse("browser_agents.html", url=f"{server.http_url}/realtime/calls", key=key)
    assert (report["errors"], wire.errors()) == ([], [])
    assert report["events"] == ["agent_tool_start", "agent_tool_end"]
    assert report["call"].startswith("rtc_")
    assert [(item["type"], item.get("output")) for item in report["history"]] == [
        ("message", None),
        ("function_call", "sunny in Paris"),
        ("message", None),
    ]
    assert report["history"][2]["content"][0]["transcript"] == "It is sunny in Paris."
