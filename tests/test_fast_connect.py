"""``fast_connect``: what the SDK's own connection does, it does, on asyncio's loop and on uvloop's."""

import asyncio
import base64
import contextlib
import hashlib
import json
import ssl
from pathlib import Path

import pytest
import websockets
from openai import AsyncAzureOpenAI, AsyncOpenAI
from websockets.exceptions import ConnectionClosed

from openai_realtime_api_utils import hook_handlers
from openai_realtime_api_utils.closing import closed_as
from openai_realtime_api_utils.errors import ConnectionLost
from openai_realtime_api_utils.fast_connection import fast_connect

pytest.importorskip("picows", reason="the extra 'fast' is not installed")
uvloop = pytest.importorskip("uvloop", reason="the extra 'fast' is not installed")

CREATED = json.dumps({"type": "session.created", "event_id": "e", "session": {"type": "realtime"}})
PEM = Path(__file__).with_name("certificates") / "localhost.pem"


def slow_connect(connect, /, **arguments):
    return connect(**arguments)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request, monkeypatch):
    """Return a function that runs a coroutine on one of the loops."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def run(main):
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(asyncio.wait_for(main, 30))

    return run


async def talk(ws):
    """Serve one client: greet, do what it asks, echo the rest."""
    await ws.send(CREATED)
    with contextlib.suppress(ConnectionClosed):
        async for message in ws:
            event = json.loads(message)
            match event["type"]:
                case "close":
                    await ws.close(event["code"], "bye")
                case "no code":
                    ws.protocol.send_close()
                    ws.send_data()
                case "drop":
                    ws.transport.abort()
                case "end":
                    ws.transport.close()
                case _:
                    await ws.send(json.dumps({"type": "echo", "was_text": isinstance(message, str), "event": event}))


@contextlib.asynccontextmanager
async def served(handler=talk, scheme="ws", **options):
    """Serve, and yield a client for the server."""
    async with websockets.serve(handler, "127.0.0.1", 0, **options) as server:
        port = server.sockets[0].getsockname()[1]
        yield AsyncOpenAI(api_key="sk-test", websocket_base_url=f"{scheme}://localhost:{port}/v1")


async def ending(connection, event=None):
    """Return how a connection ends for its reader and then for its writer, once the server did what it was told."""
    await connection.recv_bytes()
    if event is not None:
        await connection.send_raw(json.dumps(event))
    told = []
    for use in (connection.recv_bytes, lambda: connection.send_raw("{}")):
        try:
            await use()
        except ConnectionClosed as error:
            told.append((type(error), error.rcvd, error.sent, error.rcvd_then_sent, closed_as(error)))
    return told


async def of_both(of):
    """Return what a function finds with the SDK's connection, and with the fast one."""
    return [await of(connect) for connect in (slow_connect, fast_connect)]


@pytest.mark.parametrize(
    "event",
    [{"type": "close", "code": code} for code in (1000, 1001, 1008, 1011, 3000, 4001)]
    + [{"type": name} for name in ("no code", "drop", "end")],
    ids=lambda event: f"{event['type']} {event.get('code', '')}".strip(),
)
def test_every_end_is_told_alike(run, event):
    """Close codes, their absence, and a connection that breaks are told in the same exceptions."""

    async def main():
        async with served() as client:

            async def of(connect):
                async with connect(client.realtime.connect, model="m") as connection:
                    return await ending(connection, event)

            return await of_both(of)

    slow, fast = run(main())
    assert len(slow) == 2
    assert slow == fast


def test_our_own_close_is_told_as_ours(run):
    """Who waits for events while we close is told that it was us."""

    async def main():
        async with served() as client:

            async def of(connect):
                connection = await connect(client.realtime.connect, model="m").enter()
                waiting = asyncio.get_running_loop().create_task(ending(connection))
                await asyncio.sleep(0.05)
                await connection.close(code=1000, reason="done")
                return await waiting

            return await of_both(of)

    slow, fast = run(main())
    assert slow == fast


def test_both_ask_the_server_alike(run):
    """Path, query and headers of the handshake are the same."""

    async def main():
        seen = []

        async def note(ws):
            headers = [(name, value) for name, value in ws.request.headers.raw_items() if name != "Sec-WebSocket-Key"]
            seen.append((ws.request.path, headers))
            await ws.send(CREATED)

        async with served(note) as client:
            azure = AsyncAzureOpenAI(
                api_key="k",
                api_version="2025-01-01",
                azure_endpoint="http://localhost",
                websocket_base_url=client.websocket_base_url,
            )
            for asking in (client, azure):
                for connect in (slow_connect, fast_connect):
                    asked = {"model": "m o", "extra_query": {"a": "b"}, "extra_headers": {"X-Mine": "1"}}
                    async with connect(asking.realtime.connect, **asked) as connection:
                        await connection.recv()
        return seen

    slow, fast, azure_slow, azure_fast = run(main())
    assert slow == fast
    assert azure_slow == azure_fast
    assert ("Authorization", "Bearer sk-test") in fast[1]


def test_frames_of_all_sizes_go_both_ways_as_text(run):
    """Frames arrive whole, whatever their length, and ours are text."""

    async def main():
        async with served(max_size=None) as client, fast_connect(client.realtime.connect, model="m") as connection:
            await connection.recv_bytes()
            for length in (0, 1, 125, 126, 65_535, 65_536, 1_000_000):
                await connection.send_raw(json.dumps({"type": "x", "text": "é" * length}, ensure_ascii=False))
                echo = json.loads(await connection.recv_bytes())
                assert (True, length) == (echo["was_text"], len(echo["event"]["text"]))
            await connection.input_audio_buffer.clear()
            assert json.loads(await connection.recv_bytes())["event"] == {"type": "input_audio_buffer.clear"}

    run(main())


def test_what_comes_behind_the_handshake_is_kept(run):
    """A server may send its first events in the very packet that ends the handshake, in any pieces."""

    async def main():
        frame = b"\x81" + bytes([len(CREATED)]) + CREATED.encode()

        async def answer(reader, writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            key = next(line.split(": ")[1] for line in head.split("\r\n") if line.startswith("Sec-WebSocket-Key"))
            accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
            agreed = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            sent = agreed + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + frame * 300 + frame[:7]
            for start in range(0, 200, 50):
                writer.write(sent[start : start + 50])
                await asyncio.sleep(0)
            writer.write(sent[200:])
            await asyncio.sleep(0.05)
            writer.write(frame[7:] + b"\x88\x02\x03\xe8")
            await writer.drain()
            await reader.read()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            client = AsyncOpenAI(api_key="k", websocket_base_url=url)
            async with fast_connect(client.realtime.connect, model="m") as connection:
                return [event.type async for event in connection]

    assert run(main()) == ["session.created"] * 301


def test_a_refusal_is_told_with_the_servers_words(run):
    """A wrong key is refused with the same exception, status, headers and body."""

    async def main():
        def refuse(connection, request):
            return connection.respond(401, '{"error": {"code": "invalid_api_key"}}' + " " * 5000)

        async with served(process_request=refuse) as client:

            async def of(connect):
                with pytest.raises(websockets.InvalidStatus) as caught:
                    await connect(client.realtime.connect, model="m").enter()
                return caught.value.response.status_code, caught.value.response.body

            return await of_both(of)

    slow, fast = run(main())
    assert slow == fast
    assert fast[0] == 401


def test_no_key_is_carried_to_another_server(run):
    """A redirect to another origin is refused, one within the origin is followed."""

    async def main():
        def redirect(connection, request):
            if request.path.endswith("moved"):
                return None
            response = connection.respond(302, "")
            response.headers["Location"] = "ws://127.0.0.9:1/x" if "away" in request.path else "/moved"
            return response

        async with served(process_request=redirect) as client:
            with pytest.raises(websockets.exceptions.SecurityError, match="Cross-origin"):
                await fast_connect(client.realtime.connect, model="away").enter()
            async with fast_connect(client.realtime.connect, model="m") as connection:
                return (await connection.recv()).type

    assert run(main()) == "session.created"


@pytest.mark.parametrize("is_trusted", [True, False])
def test_tls_is_verified(run, monkeypatch, is_trusted):
    """wss:// works where the certificate is trusted, and fails as the SDK fails where it is not."""
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(PEM)

    async def main():
        async with served(scheme="wss", ssl=context) as client:
            if not is_trusted:
                with pytest.raises(ssl.SSLCertVerificationError):
                    await fast_connect(client.realtime.connect, model="m").enter()
                return
            async with fast_connect(client.realtime.connect, model="m") as connection:
                assert (await connection.recv()).type == "session.created"
                await connection.send_raw(json.dumps({"type": "x", "text": "y" * 200_000}))
                assert len(await connection.recv_bytes()) > 200_000
                assert await ending_of(connection) == 1000

    async def ending_of(connection):
        await connection.send_raw('{"type":"close","code":1000}')
        with pytest.raises(ConnectionClosed) as caught:
            await connection.recv_bytes()
        return caught.value.rcvd.code

    run(main())


def test_a_proxy_is_gone_through(run, monkeypatch):
    """The environment's proxy is asked for a tunnel, as by the SDK."""

    async def main():
        asked = []

        async def tunnel(reader, writer):
            head = await reader.readuntil(b"\r\n\r\n")
            target = head.split()[1].decode()
            asked.append(target)
            host, port = target.rsplit(":", 1)
            far_reader, far_writer = await asyncio.open_connection(host, int(port))
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

            async def pump(source, sink):
                while data := await source.read(4096):
                    sink.write(data)
                sink.close()

            await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

        async with await asyncio.start_server(tunnel, "127.0.0.1", 0) as proxy, served() as client:
            monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
            async with fast_connect(client.realtime.connect, model="m") as connection:
                assert (await connection.recv()).type == "session.created"
            return asked

    (asked,) = run(main())
    assert asked.startswith("localhost:")


@pytest.mark.parametrize("options", [{"max_size": 1000}, {"max_size": 100_000, "compression": "deflate"}])
def test_the_sdks_own_options_hold(run, options):
    """A limit on messages closes with 1009; compression is agreed on and undone."""

    async def main():
        async with served() as client:

            async def of(connect):
                asked = {"model": "m", "websocket_connection_options": options}
                async with connect(client.realtime.connect, **asked) as connection:
                    await connection.recv_bytes()
                    await connection.send_raw(json.dumps({"type": "x", "text": "y" * 5000}))
                    try:
                        return len(await connection.recv_bytes())
                    except ConnectionClosed as error:
                        return error.sent.code, closed_as(error).is_orderly

            return await of_both(of)

    slow, fast = run(main())
    assert slow == fast


def test_a_reconnect_of_the_sdk_is_fast_too(run):
    """The SDK's own reconnecting goes over the same factory, and goes on."""

    async def main():
        async with served() as client:
            asked = {"model": "m", "on_reconnecting": lambda event: None, "initial_delay": 0.01}
            async with fast_connect(client.realtime.connect, **asked) as connection:
                types = []
                async for event in connection:
                    types.append((event.type, type(connection._connection).__name__))
                    if len(types) == 2:
                        break
                    await connection.send_raw('{"type":"drop"}')
                return types

    assert run(main()) == [("session.created", "PicowsConnection")] * 2


def test_handlers_are_hooked_to_it_like_to_any_connection(run):
    """hook_handlers receives over it and tells a loss as ConnectionLost."""

    async def main():
        seen = []

        def keep(event, metadata, connection):
            seen.append(event.type)
            return event, metadata

        async with served() as client, fast_connect(client.realtime.connect, model="m") as connection:
            with hook_handlers(connection, [keep], []) as (keep_receiving, send):
                await send({"type": "close", "code": 1011})
                with pytest.raises(ConnectionLost, match="1011"):
                    await keep_receiving()
        return seen

    assert run(main()) == ["session.created"]


def test_options_are_not_changed(run):
    """The caller's own dict of options stays as it is."""

    async def main():
        options = {"max_queue": 8}
        async with served() as client:
            asked = {"model": "m", "websocket_connection_options": options}
            async with fast_connect(client.realtime.connect, **asked) as connection:
                await connection.recv()
        return options

    assert run(main()) == {"max_queue": 8}
