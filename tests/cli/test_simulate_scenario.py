"""``realtime simulate --scenario``: a dialogue from a file answers, and a bad file is told in one sentence."""

import asyncio
import re
import signal

import pytest
from commands import REALTIME, environment, run_realtime
from openai import AsyncOpenAI

from simulated import update, user_says

DIALOGUE = """
dialogue:
  - on: weather
    answer: It is sunny.
"""


async def test_a_scenario_answers(tmp_path):
    """A client of the server is answered as the file says."""
    (tmp_path / "weather.yaml").write_text(DIALOGUE)
    command = [str(REALTIME), "simulate", "--port", "0", "--scenario", "weather.yaml"]
    process = await asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=environment(), stdout=-1, stderr=-1)
    url = re.search(r"listens at (ws://\S+)", (await process.stdout.readline()).decode())[1]
    async with AsyncOpenAI(api_key="any", websocket_base_url=url) as client:
        async with client.realtime.connect(model="gpt-realtime") as connection:
            for event in (update(output_modalities=["text"]), user_says("the weather"), {"type": "response.create"}):
                await connection.send(event)
            async for event in connection:
                if event.type == "response.done":
                    break
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert "It is sunny." == event.response.output[0].content[0].text


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("dialogue: 3", [], "bad.yaml, line 1: a list is needed here, but this is 3"),
        (None, [], "bad.yaml cannot be read (No such file or directory)"),
        (DIALOGUE, ["--chat-url", "http://x/v1"], "--scenario was given with --chat-url"),
    ],
)
def test_what_is_wrong_is_told(text, options, told, tmp_path):
    """One sentence, exit code 1."""
    if text is not None:
        (tmp_path / "bad.yaml").write_text(text)
    done = run_realtime("simulate", "--port", "0", "--scenario", "bad.yaml", *options, cwd=tmp_path)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (1, 1)
    assert told in done.stderr
