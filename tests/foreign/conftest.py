"""Run other people's programs, and watch what the simulated sessions of a test are sent and send."""

import asyncio
import json
import subprocess
from typing import Any

import numpy as np
import pytest
from foreign_environments import PROGRAMS, folder_of, runner_of

from openai_realtime_api_utils.simulator import synthetic_speech
from openai_realtime_api_utils.simulator.base_session import BaseSession
from openai_realtime_api_utils.simulator.commands import For


class Wire:
    """Hold the events of both directions, in the order in which the session saw them."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.sent: list[dict[str, Any]] = []

    def errors(self) -> list[dict[str, Any]]:
        return [event["error"] for event in self.sent if event["type"] == "error"]


@pytest.fixture
def wire(monkeypatch):
    """Record the sessions of a test."""
    record = Wire()
    receive, poll = BaseSession.receive, BaseSession.poll

    def recorded_receive(self, event, *arguments):
        record.received.append(event)
        receive(self, event, *arguments)

    def recorded_poll(self):
        ready = poll(self)
        record.sent += [each.event if isinstance(each, For) else each for each in ready if isinstance(each, dict | For)]
        return ready

    monkeypatch.setattr(BaseSession, "receive", recorded_receive)
    monkeypatch.setattr(BaseSession, "poll", recorded_poll)
    return record


@pytest.fixture
def foreign():
    """Return ``run(environment, program, *arguments)``, which awaits the JSON object that the program prints."""

    async def run(environment, program, *arguments):
        process = await asyncio.create_subprocess_exec(
            runner_of(environment),
            PROGRAMS / program,
            *map(str, arguments),
            cwd=folder_of(environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            output, complaints = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode == 0, complaints.decode()
        return json.loads(output)

    return run


@pytest.fixture
def spoken(tmp_path):
    """Return the path of some speech and a silence after it, as pcm16 at 24 kHz."""
    path = tmp_path / "speech.pcm"
    sound = np.concatenate(
        (np.zeros(4_800, np.int16), synthetic_speech("what is the weather"), np.zeros(24_000, np.int16))
    )
    path.write_bytes(sound.tobytes())
    return path
