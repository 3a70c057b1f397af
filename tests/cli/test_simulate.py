"""``realtime simulate``: a server that a client can be pointed at, and one sentence when it cannot serve."""

import asyncio
import json
import re
import signal
import socket
import ssl

import pytest
from commands import REALTIME, environment, run_realtime
from openai import AsyncOpenAI
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from certificates import make_certificate


async def read_until(stream, pattern):
    while True:
        line = (await stream.readline()).decode()
        assert line, f"it ended before it printed {pattern}"
        if found := re.search(pattern, line):
            return found[1]


async def test_it_serves_until_ctrl_c(tmp_path):
    """The address that it prints answers the SDK; Ctrl-C ends it with 130 and no traceback."""
    process = await asyncio.create_subprocess_exec(
        str(REALTIME), "simulate", "--port", "0", cwd=tmp_path, env=environment(), stdout=-1, stderr=-1
    )
    url = await read_until(process.stdout, r"listens at (ws://\S+)")
    async with AsyncOpenAI(api_key="any", websocket_base_url=url) as client:
        async with client.realtime.connect(model="gpt-realtime") as connection:
            event = await connection.recv()
    process.send_signal(signal.SIGINT)
    _, stderr = await process.communicate()
    assert (event.type, event.session.model) == ("session.created", "gpt-realtime")
    assert (process.returncode, stderr) == (130, b"")


def test_a_port_in_use_is_told(tmp_path):
    """The port is named, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_realtime("simulate", "--port", str(port), cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("realtime: ")
    assert f"Port {port} of 127.0.0.1 is in use" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host", "203.0.113.1"],
        ["--host", "203.0.113.1", "--allow-remote"],
        ["--host", "203.0.113.1", "--allow-remote", "--api-key", "k"],
        ["--chat-model", "m"],
        ["--fault", "lag=1"],
        ["--fault", "close=response.done"],
        ["--fault", "drop=2"],
        ["--certificate", "nothing.pem"],
        ["--certificate", "/dev/null"],
    ],
)
def test_what_cannot_be_served_is_told(arguments, tmp_path):
    """An address that others reach, or none of ours, half a chat endpoint, what cannot be: one sentence."""
    done = run_realtime("simulate", "--port", "0", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("realtime: ")


def test_help_says_what_there_is(tmp_path):
    """The help of the command and of each subcommand is there."""
    assert "simulate" in run_realtime("--help", cwd=tmp_path).stdout
    assert "--port" in run_realtime("simulate", "--help", cwd=tmp_path).stdout
    assert "--instructions" in run_realtime("talk", "--help", cwd=tmp_path).stdout


async def start(tmp_path, *arguments, **variables):
    """Start the command; return its process and its address."""
    process = await asyncio.create_subprocess_exec(
        str(REALTIME),
        "simulate",
        "--port",
        "0",
        *arguments,
        cwd=tmp_path,
        env=environment(**variables),
        stdout=-1,
        stderr=-1,
    )
    return process, await read_until(process.stdout, r"(wss?://[^\s\"]+)")


async def stop(process):
    """Press Ctrl-C; return what is left of its output, and everything that it said went wrong."""
    process.send_signal(signal.SIGINT)
    return await process.communicate()


async def test_faults(tmp_path):
    """``--fault``, given twice, does both."""
    process, url = await start(tmp_path, "--fault", "close=session.created:1011", "--fault", "latency=0.01")
    async with connect(f"{url}/realtime", additional_headers={"Authorization": "Bearer k"}) as client:
        created = json.loads(await client.recv())
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    _, stderr = await stop(process)
    assert (created["type"], closed.value.rcvd.code, stderr) == ("session.created", 1011, b"")


@pytest.mark.parametrize("by", ["option", "variable"])
async def test_key(tmp_path, by):
    """A key that is set is needed, and is not printed."""
    arguments, variables = (["--api-key", "sesame"], {}) if by == "option" else ([], {"SIMULATOR_API_KEY": "sesame"})
    process, url = await start(tmp_path, "--lifetime", "60", *arguments, **variables)
    async with connect(f"{url}/realtime", additional_headers={"Authorization": "Bearer wrong"}) as client:
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    async with connect(f"{url}/realtime", additional_headers={"Authorization": "Bearer sesame"}) as client:
        created = json.loads(await client.recv())
    stdout, stderr = await stop(process)
    assert (created["type"], closed.value.rcvd.code, stderr) == ("session.created", 3000, b"")
    assert b"sesame" not in stdout


async def test_json(tmp_path):
    """``--json`` prints where it listens, and every frame without its audio."""
    process, url = await start(tmp_path, "--json")
    async with connect(f"{url}/realtime", additional_headers={"Authorization": "Bearer k"}) as client:
        await client.recv()
        await client.send('{"type": "input_audio_buffer.append", "audio": "AAAA"}')
        await client.send("{")
        await client.recv()
    stdout, stderr = await stop(process)
    frames = [json.loads(line) for line in stdout.splitlines()]
    assert [(line["connection"], line["from"]) for line in frames] == [
        (0, "server"),
        *[(0, "client")] * 2,
        (0, "server"),
    ]
    assert frames[0]["frame"]["type"] == "session.created"
    assert frames[1]["frame"] == {"type": "input_audio_buffer.append", "audio": "<3 bytes of audio>"}
    assert frames[2]["frame"] == "{"
    assert stderr == b""


async def test_garbage_is_no_reason_for_a_traceback(tmp_path):
    """Bad handshakes, bad frames and clients that vanish leave standard error empty."""
    process, url = await start(tmp_path)
    port = int(url.split(":")[2].partition("/")[0])
    for garbage in (
        b"\x16\x03\x01" + bytes(50) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\n",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(garbage)
        writer.write_eof()
        await reader.read()
        writer.close()
        await writer.wait_closed()
    for garbage in (b"\xff\xff", b"\x81\xff" + bytes(12), b"\x81\x00"):
        async with connect(f"{url}/realtime", additional_headers={"Authorization": "Bearer k"}) as client:
            await client.send('{"type": "response.create"}')
            await client.recv()
            client.transport.write(garbage)
            client.transport.abort()
    _, stderr = await stop(process)
    assert stderr == b""


async def test_certificate(tmp_path):
    """With a certificate the address is encrypted, and answers whoever trusts it."""
    certificate = make_certificate(tmp_path)
    process, url = await start(tmp_path, "--certificate", str(certificate))
    trusting = ssl.create_default_context(cafile=certificate)
    async with connect(f"{url}/realtime", ssl=trusting, additional_headers={"Authorization": "Bearer any"}) as opened:
        assert json.loads(await opened.recv())["type"] == "session.created"
    await stop(process)
    assert url.startswith("wss://")
