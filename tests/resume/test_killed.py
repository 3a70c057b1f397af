"""A program is killed at any moment, and the next one goes on."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("killed_talk.py")
TESTS = Path(__file__).parent.parent
SEEDS = int(os.environ.get("KILL_SEEDS", "3"))
"""How many times programs are killed, each time at other moments."""
CALLS = ("function_call", "function_call_output")


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
    """Kill programs at moments that a seed decides.

    Returns:
        The items that the killed ones had told as complete; the calls that ran, in all; and the last one's items, each
        as (role or type, id, id of its call).
    """
    chance = random.Random(seed)
    told = []
    for life in range(3):
        process = talk(kind, where, 1_000, life)
        told += [process.stdout.readline() for _ in range(chance.randrange(1, 60))]
        try:
            process.wait(chance.random() * 0.02)
        except subprocess.TimeoutExpired:
            pass
        os.kill(process.pid, signal.SIGKILL)
        rest, error = process.communicate()
        told += rest.splitlines(keepends=True)
        assert "Traceback" not in error
    last = talk(kind, where, 1, 3)
    output, error = last.communicate(timeout=60)
    assert 0 == last.returncode, error
    *more, items = output.splitlines(keepends=True)
    lines = [line.split() for line in (*told, *more) if line.endswith("\n")]  # one may have been cut off
    complete, ran = ([line[1] for line in lines if line[0] == kind] for kind in ("complete", "ran"))
    return complete, ran, [item.split(":") for item in items.split()[1:]]


def check(complete, ran, items):
    """Hold the last program's conversation against what the killed ones had told."""
    ids = [item_id for _, item_id, _ in items]
    calls, outputs = ([call for kind, _, call in items if kind == of] for of in CALLS)
    assert len(ids) == len(set(ids)), "an item is there twice"
    assert not set(complete) - set(ids), "an item was lost"
    assert len(ran) == len(set(ran)), "a function ran twice for one call"
    assert sorted(calls) == sorted(outputs), "a call has no output, or two"
    assert len(ran) > 0
    assert "assistant" == items[-1][0]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_killed_with_a_file(tmp_path, seed):
    """No item that was complete is lost, none is there twice, no call ran twice, and the next turn works."""
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


@pytest.mark.parametrize("seed", range(SEEDS))
def test_killed_with_redis(redis_url, seed):
    """The same with a real Redis server."""
    where = redis_url[:-1] + str(seed % 16)
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
