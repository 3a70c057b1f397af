"""The simulator at a real socket, with the SDK's own client."""

import asyncio
import base64
import json
import socket
import sys

import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import MissingExtraError, SimulatorError
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator import ScriptedEngine, Settings, serve

FAST = Settings(first_audio_s=0, pace=100, text_tokens_per_s=10_000)
KEY = {"Authorization": "Bearer key"}


def engine():
    return ScriptedEngine({"": "Hello to you."})


def sdk(server, key="key"):
    return AsyncOpenAI(api_key=key, websocket_base_url=server.url, base_url="http://127.0.0.1:1")


async def test_sdk_client():
    """The SDK connects by model and talks."""
    async with (
        serve(engine, settings=FAST) as server,
        sdk(server) as client,
        client.realtime.connect(model="gpt-realtime") as connection,
    ):
        created = await connection.recv()
        assert (created.type, created.session.model) == ("session.created", "gpt-realtime")
        await connection.response.create()
        async for event in connection:
            if event.type == "response.done":
                break
        assert event.response.output[0].content[0].transcript == "Hello to you."


async def test_sessions_are_apart():
    """Each connection is a session of its own, with its own ids."""
    async with serve(engine, settings=FAST) as server:
        ids = []
        for _ in range(2):
            async with connect(f"{server.url}/realtime", additional_headers=KEY) as socket_:
                ids.append(json.loads(await socket_.recv())["session"]["id"])
    assert ids[0] != ids[1]


@pytest.mark.reported
@pytest.mark.parametrize(
    ("path", "headers", "settings", "status", "code"),
    [
        ("/realtime", {}, {}, 401, "missing_api_key"),
        ("/realtime", {"Authorization": "Basic x"}, {}, 401, "missing_api_key"),
        ("/realtime", KEY, {"api_keys": frozenset({"other"}), "refuse_key": "http"}, 401, "invalid_api_key"),
        ("/realtime?model=gpt-9", KEY, {"models": frozenset({"gpt-realtime"})}, 404, "model_not_found"),
        ("/live", KEY, {}, 404, "invalid_url"),
        ("/realtime?call_id=rtc_1", KEY, {}, 404, "call_id_not_found"),
        ("/realtime?intent=chat", KEY, {}, 400, "invalid_value"),
    ],
)
async def test_refused_before_the_upgrade(path, headers, settings, status, code):
    """What the service refuses by HTTP gets its status and a JSON error."""
    async with serve(engine, settings=Settings(**settings)) as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{server.url}{path}", additional_headers=headers)
    response = refused.value.response
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/json")
    assert json.loads(response.body)["error"]["code"] == code


@pytest.mark.reported
@pytest.mark.parametrize(
    ("path", "settings", "reason"),
    [
        ("/realtime", {"api_keys": frozenset({"other"})}, "invalid_request_error.invalid_api_key"),
        (
            "/realtime?model=gpt-9",
            {"models": frozenset({"gpt-realtime"}), "refuse_model": "close"},
            "invalid_request_error.model_not_found",
        ),
    ],
)
async def test_refused_after_the_upgrade(path, settings, reason):
    """What the service refuses by closing gets code 3000 and the reason, and no event."""
    async with (
        serve(engine, settings=Settings(**settings)) as server,
        connect(f"{server.url}{path}", additional_headers=KEY) as socket_,
    ):
        with pytest.raises(ConnectionClosed) as closed:
            await socket_.recv()
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (3000, reason)


async def test_right_key():
    """A key that is known is let in."""
    async with (
        serve(engine, settings=Settings(api_keys=frozenset({"key"}))) as server,
        connect(f"{server.url}/realtime", additional_headers=KEY) as socket_,
    ):
        assert json.loads(await socket_.recv())["type"] == "session.created"


async def test_browser_brings_its_key_among_the_subprotocols():
    """The key is found there, and ``realtime`` alone is selected."""
    async with (
        serve(engine, settings=Settings(api_keys=frozenset({"key"}))) as server,
        connect(
            f"{server.url}/realtime?model=gpt-realtime",
            subprotocols=["realtime", "openai-insecure-api-key.key"],
        ) as socket_,
    ):
        assert socket_.subprotocol == "realtime"
        assert json.loads(await socket_.recv())["type"] == "session.created"


async def test_bad_frames_leave_the_session_usable():
    """Non-JSON, a binary frame, an unknown event and a 16 MiB append each get an error; then it still answers."""
    huge = base64.b64encode(bytes(16 * 1024 * 1024)).decode()
    frames = ["{", b"\x00", '{"type": "nonsense"}', json.dumps({"type": "input_audio_buffer.append", "audio": huge})]
    async with (
        serve(engine, settings=FAST) as server,
        connect(f"{server.url}/realtime", additional_headers=KEY, max_size=None) as socket_,
    ):
        await socket_.recv()
        codes = []
        for frame in frames:
            await socket_.send(frame)
            codes.append(json.loads(await socket_.recv())["error"]["code"])
        await socket_.send('{"type": "response.create"}')
        while (event := json.loads(await socket_.recv()))["type"] != "response.done":
            pass
    assert codes == ["invalid_event", "invalid_event", "invalid_value", "string_above_max_length"]
    assert event["response"]["status"] == "completed"


async def test_port_in_use():
    """A port that is taken is one sentence with the mend."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SimulatorError, match=f"Port {port} of 127.0.0.1 is in use: choose another one"):
            async with serve(engine, port=port):
                pass


async def test_address_of_another_machine():
    """An address that is not this machine's is one sentence too."""
    with pytest.raises(SimulatorError, match=r"cannot listen on 192\.0\.2\.1, port 0"):
        async with serve(engine, host="192.0.2.1", allow_remote=True, settings=Settings(api_keys=frozenset({"key"}))):
            pass


async def test_leaving_ends_the_sessions():
    """When the block is left, open connections are closed with 1001 and the engines are closed."""
    closed = []

    class Closing(ScriptedEngine):
        async def close(self):
            closed.append(self)

    async with serve(Closing) as server:
        socket_ = await connect(f"{server.url}/realtime", additional_headers=KEY)
        await socket_.recv()
    with pytest.raises(ConnectionClosed) as over:
        await socket_.recv()
    assert over.value.rcvd.code == 1001
    assert len(closed) == 1


async def test_engine_that_cannot_be_made(caplog):
    """The connection is closed with 1011, and the log says why."""

    def factory():
        raise SimulatorError("There is no voice.")

    async with serve(factory) as server, connect(f"{server.url}/realtime", additional_headers=KEY) as socket_:
        with pytest.raises(ConnectionClosed) as closed:
            await socket_.recv()
    assert closed.value.rcvd.code == 1011
    assert "There is no voice." in caplog.text


async def test_client_that_vanishes():
    """A client that drops its connection in the middle of a response leaves nothing running."""
    closed = asyncio.Event()

    class Closing(ScriptedEngine):
        async def close(self):
            closed.set()

    async with serve(lambda: Closing({"": "A long answer. " * 50})) as server:
        socket_ = await connect(f"{server.url}/realtime", additional_headers=KEY)
        await socket_.send('{"type": "response.create"}')
        await socket_.recv()
        socket_.transport.abort()
        await closed.wait()


def test_clock_that_jumps():
    """A session at a socket takes no longer than it has to on a clock that jumps, and not an hour of that clock."""
    clock = ManualClock()

    async def main():
        async with (
            serve(lambda: ScriptedEngine({"": "A long answer. " * 100}), clock=clock) as server,
            sdk(server) as client,
            client.realtime.connect(model="gpt-realtime") as connection,
        ):
            await connection.response.create()
            async for event in connection:
                if event.type == "response.done":
                    return event.response.status
        return None

    assert fast_forward.run(main(), clock) == "completed"
    assert 20 < clock.now() < 25


async def test_missing_package_is_told_at_once(monkeypatch):
    """Without the default detector's package the simulator says what to install, before anybody connects."""
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    with pytest.raises(MissingExtraError, match=r'pip install "openai-realtime-api-utils\[local\]"'):
        async with serve(engine):
            pass


async def test_port_that_is_none():
    """A number that is no port is one sentence."""
    with pytest.raises(SimulatorError, match="70000 is no port: choose one from 1 to 65535"):
        async with serve(engine, port=70_000):
            pass
