"""Ephemeral keys over HTTP, on the port of the WebSocket; and who may come in from where."""

import json
import os
from pathlib import Path

import httpx2 as httpx
import pytest
import yaml
from openai import AsyncOpenAI, BadRequestError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import SimulatorError
from openai_realtime_api_utils.simulator import ScriptedEngine, Settings, serve
from simulated import check_event

KEY = {"Authorization": "Bearer key"}
KNOWN = Settings(api_keys=frozenset({"key"}))


def engine():
    return ScriptedEngine({"": "Hello to you."})


def sdk(server, key="key"):
    return AsyncOpenAI(api_key=key, base_url=server.http_url, max_retries=0)


async def first_event(server, key, path="/realtime"):
    async with connect(f"{server.url}{path}", additional_headers={"Authorization": f"Bearer {key}"}) as socket:
        return json.loads(await socket.recv())


async def test_sdk_makes_a_key():
    """The SDK gets a key for ten minutes, with the effective session, whose own expiry is 0."""
    async with serve(engine, created_at=1_700_000_000, clock=ManualClock()) as server, sdk(server) as client:
        secret = await client.realtime.client_secrets.create()
    assert secret.value.startswith("ek_")
    assert secret.expires_at == 1_700_000_600
    assert (secret.session.type, secret.session.expires_at, secret.session.model) == ("realtime", 0, "gpt-realtime-2.1")
    assert secret.session.id.startswith("sess_")


async def test_settings_that_come_with_a_key():
    """A session begins with the settings of the key that started it, and can change them."""
    given = {"type": "realtime", "model": "gpt-realtime", "instructions": "Be brief.", "output_modalities": ["text"]}
    async with serve(engine, settings=KNOWN) as server, sdk(server) as client:
        secret = await client.realtime.client_secrets.create(session=given)
        async with AsyncOpenAI(api_key=secret.value, base_url=server.http_url) as browser:
            async with browser.realtime.connect(model="gpt-realtime") as connection:
                created = await connection.recv()
                await connection.session.update(session={"type": "realtime", "instructions": "Be long."})
                updated = await connection.recv()
    assert (created.session.instructions, created.session.output_modalities) == ("Be brief.", ["text"])
    assert (updated.session.instructions, updated.session.output_modalities) == ("Be long.", ["text"])


async def test_key_names_the_model():
    """A connection that names no model gets that of its key."""
    async with serve(engine) as server, sdk(server) as client:
        secret = await client.realtime.client_secrets.create(session={"type": "realtime", "model": "gpt-realtime"})
        created = await first_event(server, secret.value)
    assert created["session"]["model"] == "gpt-realtime"


async def test_key_among_the_subprotocols():
    """A browser brings its ephemeral key as a subprotocol."""
    async with serve(engine, settings=KNOWN) as server, sdk(server) as client:
        secret = await client.realtime.client_secrets.create()
        offered = ["realtime", f"openai-insecure-api-key.{secret.value}"]
        async with connect(f"{server.url}/realtime", subprotocols=offered) as socket:
            assert json.loads(await socket.recv())["type"] == "session.created"


@pytest.mark.reported
async def test_expired_key():
    """With a key that has expired the socket opens, and the first event is answered with an error."""
    clock = ManualClock()
    async with serve(engine, settings=KNOWN, clock=clock) as server, sdk(server) as client:
        secret = await client.realtime.client_secrets.create(expires_after={"anchor": "created_at", "seconds": 10})
        clock.advance(10)
        async with connect(
            f"{server.url}/realtime", additional_headers={"Authorization": f"Bearer {secret.value}"}
        ) as socket:
            await socket.send('{"type": "response.create"}')
            event = json.loads(await socket.recv())
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
    check_event(event)
    assert event["type"] == "error"
    assert "token has expired" in event["error"]["message"]
    assert closed.value.rcvd.code == 3000


async def test_session_outlives_its_key():
    """A session that runs when its key expires goes on; so does starting others until then."""
    clock = ManualClock()
    async with serve(engine, settings=KNOWN, clock=clock) as server, sdk(server) as client:
        secret = await client.realtime.client_secrets.create(expires_after={"anchor": "created_at", "seconds": 10})
        headers = {"Authorization": f"Bearer {secret.value}"}
        async with connect(f"{server.url}/realtime", additional_headers=headers) as one:
            clock.advance(9)
            assert (await first_event(server, secret.value))["type"] == "session.created"
            clock.advance(1)
            await one.recv()
            await one.send('{"type": "input_audio_buffer.clear"}')
            assert json.loads(await one.recv())["type"] == "input_audio_buffer.cleared"


@pytest.mark.parametrize("seconds", [9, 7201, "ten"])
async def test_life_of_a_key_is_bounded(seconds):
    """Beyond 10 to 7200 seconds a key is refused with HTTP 400."""
    async with serve(engine) as server, sdk(server) as client:
        with pytest.raises(BadRequestError) as refused:
            await client.realtime.client_secrets.create(expires_after={"anchor": "created_at", "seconds": seconds})
    assert refused.value.param == "expires_after.seconds"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"session": {}}, "missing_required_parameter", "session.type"),
        ({"session": {"type": "realtime", "voice": "marin"}}, "unknown_parameter", "session.voice"),
        ({"session": 1}, "invalid_type", "session"),
        ({"expiry": 1}, "unknown_parameter", "expiry"),
        ([], "invalid_type", "body"),
    ],
)
async def test_bad_settings_of_a_key(body, code, param):
    """What a ``session.update`` would refuse, a key is refused for."""
    async with serve(engine) as server, httpx.AsyncClient() as client:
        response = await client.post(f"{server.http_url}/realtime/client_secrets", json=body, headers=KEY)
    assert response.status_code == 400
    assert (response.json()["error"]["code"], response.json()["error"]["param"]) == (code, param)


@pytest.mark.reported
@pytest.mark.parametrize(
    ("method", "path", "headers", "content", "status"),
    [
        ("POST", "/realtime/client_secrets", {}, b"{}", 401),
        ("POST", "/realtime/client_secrets", {"Authorization": "Bearer other"}, b"{}", 401),
        ("POST", "/realtime/client_secrets", KEY, b"{", 400),
        ("DELETE", "/realtime/client_secrets", KEY, b"", 404),
        ("GET", "/realtime/client_secrets", KEY, b"", 404),
        ("POST", "/chat/completions", KEY, b"{}", 404),
        ("GET", "/realtime", KEY, b"", 426),
        ("POST", "/realtime/client_secrets", KEY, b" " * 5_000_000, 413),
    ],
)
async def test_http_refusals(method, path, headers, content, status):
    """Each wrong request has its status."""
    async with serve(engine, settings=KNOWN) as server, httpx.AsyncClient() as client:
        response = await client.request(method, f"{server.http_url}{path}", headers=headers, content=content)
    assert response.status_code == status


async def test_ephemeral_key_makes_no_keys():
    """Only an API key mints others."""
    async with serve(engine, settings=KNOWN) as server, sdk(server) as client, httpx.AsyncClient() as http:
        secret = await client.realtime.client_secrets.create()
        headers = {"Authorization": f"Bearer {secret.value}"}
        response = await http.post(f"{server.http_url}/realtime/client_secrets", headers=headers)
    assert response.status_code == 401


async def test_key_that_was_never_made():
    """Where keys are known, an ephemeral key of another server is refused as any wrong key."""
    async with serve(engine, settings=Settings(api_keys=frozenset({"key"}), refuse_key="http")) as server:
        with pytest.raises(InvalidStatus) as refused:
            await first_event(server, "ek_of_another")
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.test"])
@pytest.mark.parametrize(
    ("options", "asks_for"),
    [({}, "--allow-remote"), ({"settings": KNOWN}, "--allow-remote"), ({"allow_remote": True}, "--api-key")],
)
async def test_other_machines_are_let_in_on_request_only(host, options, asks_for):
    """An address that others reach needs a flag, and a key."""
    with pytest.raises(SimulatorError, match=asks_for):
        async with serve(engine, host=host, **options):
            pass


async def test_other_machines_with_a_key():
    """With both, it serves."""
    async with serve(engine, host="0.0.0.0", settings=KNOWN, allow_remote=True) as server:
        event = await first_event(server, "key")
    assert event["type"] == "session.created"


async def test_key_for_transcription():
    """A key for a transcription session opens one, wherever it connects to, with its settings."""
    given = {"type": "transcription", "audio": {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}}
    async with serve(engine) as server, sdk(server) as client:
        secret = await client.realtime.client_secrets.create(session=given)
        created = await first_event(server, secret.value)
    assert secret.session.object == "realtime.transcription_session"
    assert created["session"]["type"] == "transcription"
    assert created["session"]["audio"]["input"]["transcription"]["model"] == "gpt-4o-transcribe"


async def test_key_for_translation():
    """The key of a translation session says which model it is for, and brings the session's language."""
    session = {"model": "gpt-realtime-translate", "audio": {"output": {"language": "de"}}}
    async with serve(engine) as server, sdk(server) as client:
        secret = await client.realtime.translations.client_secrets.create(session=session)
        created = await first_event(server, secret.value, "/realtime/translations")
    assert (secret.session.model, secret.session.expires_at) == ("gpt-realtime-translate", 0)
    assert created["session"]["audio"]["output"]["language"] == "de"


async def test_key_for_translation_needs_a_model():
    """Without one it is refused (API reference)."""
    async with serve(engine) as server, httpx.AsyncClient() as client:
        response = await client.post(f"{server.http_url}/realtime/translations/client_secrets", json={}, headers=KEY)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "session.model"


@pytest.mark.skipif("REALTIME_RECORDINGS" not in os.environ, reason="REALTIME_RECORDINGS names no folder")
async def test_recorded_key():
    """The answer to a recorded request has the recorded fields and values, but for what is made up each time."""
    path = Path(os.environ["REALTIME_RECORDINGS"]) / "http_create_client_secret.yaml"
    (exchange,) = yaml.safe_load(path.read_text())["interactions"]
    recorded = exchange["response"]["parsed_body"]
    async with serve(engine) as server, httpx.AsyncClient() as client:
        url = f"{server.http_url}/realtime/client_secrets"
        answer = await client.post(url, json=exchange["request"]["parsed_body"], headers=KEY)
    made_up = {"id": "sess_"}
    expected = recorded["session"] | made_up
    actual = answer.json()["session"] | made_up
    assert (answer.status_code, set(answer.json())) == (exchange["response"]["status"]["code"], set(recorded))
    assert actual == expected
