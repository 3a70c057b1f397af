"""Bad clients at a real socket: the server answers or hangs up, goes on serving the others, and logs no traceback."""

import asyncio
import json
import logging
import resource
import socket

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.simulator import Say, ScriptedEngine, Settings, serve

KEY = {"Authorization": "Bearer key"}
FAST = Settings(first_audio_s=0, pace=100, text_tokens_per_s=1_000_000)


@pytest.fixture(autouse=True)
def nothing_alarming_is_logged(caplog):
    """Whatever these clients do is no reason for a warning, still less for a traceback."""
    yield
    alarming = [record for record in caplog.get_records("call") if record.levelno >= logging.WARNING or record.exc_info]
    assert alarming == []


def engine():
    return ScriptedEngine({"": "Hello."})


async def session(server):
    return await connect(f"{server.url}/realtime", additional_headers=KEY, compression=None)


async def is_served(server):
    """Say whether another client gets its answer."""
    async with await session(server) as client:
        await client.send(json.dumps({"type": "response.create", "response": {"output_modalities": ["text"]}}))
        while json.loads(await client.recv())["type"] != "response.done":
            pass
    return True


async def raw(server, *, receive_buffer=None):
    """Open a bare connection."""
    plain = socket.socket()
    if receive_buffer is not None:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", server.port))
    return await asyncio.open_connection(sock=plain)


async def hang_up(writer):
    writer.close()
    try:
        await writer.wait_closed()
    except OSError:
        pass


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n", 400),
        (b"GET /v1/realtime HTTP/1.1\r\n\r\n", 400),
        (b"GET " + b"/" * 40_000, 431),
        (b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 8_000, 431),
        (b"POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n\r\n", 426),
        (
            b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
            400,
        ),
        (
            b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
            400,
        ),
    ],
    ids=["TLS", "no host", "long line", "many headers", "bad length", "no upgrade", "short key", "old version"],
)
async def test_garbage_instead_of_a_handshake(sent, status):
    """What is no handshake is refused with the status that says so, and the connection is closed."""
    async with serve(engine) as server:
        reader, writer = await raw(server)
        writer.write(sent)
        answer = await reader.read()
        await hang_up(writer)
        assert await is_served(server)
    assert int(answer.split()[1]) == status


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True), 1007),
        (Frame(Opcode.TEXT, b"{}").serialize(mask=False), 1002),
        (b"\xf3\x80\x00\x00\x00\x00", 1002),
        (b"\x81\xff" + (33 * 1024 * 1024).to_bytes(8) + bytes(4), 1009),
        (Frame(Opcode.CONT, b"{}").serialize(mask=True), 1002),
    ],
    ids=["no UTF-8", "not masked", "unknown opcode", "33 MiB", "continues nothing"],
)
async def test_garbage_instead_of_frames(frame, code):
    """What breaks the WebSocket protocol closes the connection with the code that says why."""
    async with serve(engine) as server:
        async with await session(server) as client:
            await client.recv()
            client.transport.write(frame)
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
        assert await is_served(server)
    assert closed.value.rcvd.code == code


@pytest.mark.reported
@pytest.mark.parametrize(
    "frame",
    [
        b"\x00\x01",
        "",
        "{",
        "null",
        "[]",
        '"text"',
        "NaN",
        '{"type": NaN}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"type": "\\ud800"}',
        "9" * 10_000,
        '{"type": 1}',
        '{"type": ["response.create"]}',
        '{"type": {}}',
        '{"type": "response.create", "response": []}',
        '{"type": "session.update", "session": {"type": "realtime", "tools": [{}]}}',
        '{"type": "conversation.item.truncate", "item_id": {}, "content_index": 1e999, "audio_end_ms": []}',
        '{"type": "conversation.item.create", "item": {"type": "message", "role": [], "content": {}}}',
        '{"type": "input_audio_buffer.append", "audio": "%s"}' % ("!" * 1000),
        '{"type": "input_audio_buffer.append", "audio": "%s"}' % ("A" * 22_000_000),
    ],
    ids=lambda frame: repr(frame[:40]),
)
async def test_garbage_instead_of_events(frame):
    """Each gets its ``error``, and the session is as good as before."""
    async with serve(engine, settings=FAST) as server, await session(server) as client:
        await client.recv()
        await client.send(frame)
        assert json.loads(await client.recv())["type"] == "error"
        await client.send('{"type": "input_audio_buffer.clear"}')
        assert json.loads(await client.recv())["type"] == "input_audio_buffer.cleared"


async def test_infinity_is_never_sent():
    """A number too large for JSON does not come back as something that is no JSON."""
    tool = '{"type": "function", "name": "f", "parameters": {"maximum": 1e999}}'
    async with serve(engine) as server, await session(server) as client:
        await client.recv()
        await client.send('{"type": "session.update", "session": {"type": "realtime", "tools": [' + tool + "]}}")
        answer = await client.recv()
    assert "Infinity" not in answer


async def test_flood():
    """Ten thousand bad events get their errors, in order, and others are served meanwhile."""
    async with serve(engine, settings=FAST) as server:
        async with await session(server) as client:
            await client.recv()

            async def flood():
                for i in range(10_000):
                    await client.send(json.dumps({"type": "nonsense", "event_id": str(i)}))

            flooding = asyncio.create_task(flood())
            assert await is_served(server)
            answered = [json.loads(await client.recv())["error"]["event_id"] for _ in range(10_000)]
            await flooding
    assert answered == [str(i) for i in range(10_000)]


class Talker(ScriptedEngine):
    """Say one sentence of ten seconds after the other, for ever, and count them."""

    def __init__(self):
        super().__init__()
        self.said = 0
        self.closed = asyncio.Event()

    async def think(self, turn):
        while True:
            self.said += 1
            yield Say("On. ")

    async def speak(self, text, *, voice, speed):
        return np.zeros(240_000, np.int16)

    async def close(self):
        self.closed.set()


async def test_client_that_never_reads():
    """What it does not read fills a bounded buffer; after 30 s its connection is dropped."""
    clock = ManualClock()
    talker = Talker()
    async with serve(lambda: talker, settings=FAST, clock=clock) as server:
        _, writer = await raw(server, receive_buffer=4096)
        writer.write(
            b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
            + Frame(Opcode.TEXT, b'{"type": "response.create"}').serialize(mask=True)
        )
        turns = 0
        while not talker.closed.is_set():
            before = talker.said
            await asyncio.sleep(0)
            turns = turns + 1 if talker.said == before else 0
            if turns % 50 == 49:
                clock.advance(1)
        await hang_up(writer)
    assert 30 <= clock.now() < 60
    assert talker.said * 640_000 < 20_000_000  # characters of base64; the machine's own buffers hold the most of it


@pytest.fixture
def many_files():
    """Let this process have enough files open for both ends of a thousand connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip(f"this machine allows {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_thousand_connections_that_never_speak(many_files):
    """The oldest make room for others, and after ten seconds they are all gone."""
    clock = ManualClock()
    async with serve(engine, settings=FAST, clock=clock) as server:
        connections = [await raw(server) for _ in range(1000)]
        async with await session(server) as client:
            greeting = json.loads(await client.recv())
        clock.advance(10)
        answers = [await reader.read() for reader, _ in connections]
        for _, writer in connections:
            await hang_up(writer)
    assert greeting["type"] == "session.created"
    assert {answer[:12] for answer in answers} == {b"", b"HTTP/1.1 408"}


async def test_slow_loris():
    """A handshake that trickles in gets ten seconds in all, however busy it looks."""
    clock = ManualClock()
    async with serve(engine, clock=clock) as server:
        reader, writer = await raw(server)
        for byte in b"GET /v1/re":
            writer.write(bytes([byte]))
            for _ in range(3):
                await asyncio.sleep(0)
            clock.advance(1)
        answer = await reader.read()
        await hang_up(writer)
    assert answer.startswith(b"HTTP/1.1 408")


async def test_body_that_never_comes():
    """A request whose body is announced and never sent is dropped as well."""
    clock = ManualClock()
    async with serve(engine, clock=clock) as server:
        reader, writer = await raw(server)
        writer.write(b"POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
        for _ in range(10):
            await asyncio.sleep(0)
        clock.advance(10)
        answer = await reader.read()
        await hang_up(writer)
    assert answer.startswith(b"HTTP/1.1 408")


async def test_leaving_with_somebody_at_the_door():
    """The server closes while a connection has not spoken yet."""
    async with serve(engine) as server:
        reader, writer = await raw(server)
        await asyncio.sleep(0)
    assert await reader.read() == b""
    await hang_up(writer)


async def test_body_in_pieces():
    """A request may come byte by byte, and may ask whether to go on."""
    async with serve(engine) as server:
        reader, writer = await raw(server)
        writer.write(
            b"POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer k\r\n"
            b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        for piece in (b"1\r\n{\r\n", b"1\r\n}\r\n", b"0\r\n", b"\r\n"):
            writer.write(piece)
            await asyncio.sleep(0)
        answer = await reader.read()
        await hang_up(writer)
    assert answer.startswith(b"HTTP/1.1 200")
