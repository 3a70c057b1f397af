"""``realtime simulate``: a server that a client can be pointed at, and one sentence when it cannot serve."""

import asyncio
import re
import signal
import socket

import pytest
from commands import REALTIME, environment, run_realtime
from openai import AsyncOpenAI


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


@pytest.mark.parametrize("arguments", [["--host", "203.0.113.1"], ["--chat-model", "m"]])
def test_what_cannot_be_served_is_told(arguments, tmp_path):
    """An address of another machine, or half a chat endpoint: one sentence."""
    done = run_realtime("simulate", "--port", "0", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("realtime: ")


def test_help_says_what_there_is(tmp_path):
    """The help of the command and of each subcommand is there."""
    assert "simulate" in run_realtime("--help", cwd=tmp_path).stdout
    assert "--port" in run_realtime("simulate", "--help", cwd=tmp_path).stdout
    assert "--instructions" in run_realtime("talk", "--help", cwd=tmp_path).stdout
