"""A program is killed at any moment, and the next one goes on."""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("killed_talk.py")
TESTS = Path(__file__).parent.parent


def talk(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return subprocess.Popen(
        [sys.executable, str(PROGRAM), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


def killed_and_continued(kind, where, seed):
    """Kill programs at moments that a seed decides; return what the last one has, and what the killed ones had."""
    chance = random.Random(seed)
    told = 0
    for _ in range(3):
        process = talk(kind, where, 1_000)
        for _ in range(chance.randrange(1, 12)):
            line = process.stdout.readline()
            told = max(told, int(line.split()[1])) if line.startswith("turn") else told
        chance_s = chance.random() * 0.02
        try:
            process.wait(chance_s)
        except subprocess.TimeoutExpired:
            pass
        os.kill(process.pid, signal.SIGKILL)
        rest, error = process.communicate()
        told = max([told, *map(int, re.findall(r"turn (\d+)\n", rest))])
        assert "Traceback" not in error
    last = talk(kind, where, 1)
    output, error = last.communicate(timeout=60)
    assert 0 == last.returncode, error
    return told, output.splitlines()[-1].split()[1:]


def check(told, items):
    """Hold the last program's conversation against what the killed ones had told."""
    ids = [item.split(":")[1] for item in items]
    assert len(ids) == len(set(ids))
    assert len(items) >= told + 2
    assert items[-1].startswith("assistant:")


@pytest.mark.parametrize("seed", range(2))
def test_killed_with_a_file(tmp_path, seed):
    """No item that was complete is lost, none is there twice, and the next turn works."""
    check(*killed_and_continued("file", tmp_path / "talk.jsonl", seed))


@pytest.fixture(scope="module")
def redis_url(tmp_path_factory):
    """Run a Redis server of our own on a free port."""
    server = shutil.which("redis-server")
    if server is None:
        message = "redis-server is not installed: apt-get install redis-server"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    pytest.importorskip("redis")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", "--appendonly", "no"]
    process = subprocess.Popen([server, *options], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "Ready to accept connections" in line:
            break
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.mark.parametrize("seed", range(2))
def test_killed_with_redis(redis_url, seed):
    """The same with a real Redis server."""
    where = redis_url[:-1] + str(seed)
    check(*killed_and_continued("redis", where, seed))


async def test_a_stream_expires_and_is_written_anew(redis_url):
    """It lives as long as it was told to; most of it being old, it is written anew, and adds up to the same."""
    import redis.asyncio

    from openai_realtime_api_utils import RedisStore
    from openai_realtime_api_utils.state.stored import Stored, record

    item = {"id": "a", "type": "message", "role": "user", "content": []}
    store = RedisStore(redis_url, "other", expire_s=100)
    assert [] == list(await store.load())
    await store.append([record("item", item=item, after=None)] * 600, is_turn_end=True)
    loaded = Stored(await store.load())
    client = redis.asyncio.from_url(redis_url)
    length, left_s = await client.xlen(store.key), await client.ttl(store.key)
    await client.aclose()
    await store.close()
    assert ([item], 3) == (loaded.items, length)
    assert 90 < left_s <= 100
