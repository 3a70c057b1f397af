"""Record, with a real key, the sessions of which no public recording exists. It costs some cents; CI never does it.

    OPENAI_API_KEY=sk-... python -m tools.record_live recordings
    OPENAI_API_KEY=sk-... python -m tools.record_live recordings --only barge_in --model gpt-realtime

Each trace of ``live_traces.py`` becomes a YAML file: ``interactions`` in order of time, each with ``kind: message``,
``direction: sent | received``, ``at_s`` since the connection was opened, and ``data``, the event. Sound is cut to a few
bytes, and ``audio_bytes`` says how much there was. What looks like a secret is taken out. ``REALTIME_RECORDINGS`` may
name the folder, and the tests then hold on these sessions too.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import yaml
from openai import AsyncOpenAI
from websockets.exceptions import ConnectionClosed

from openai_realtime_api_utils.clock import Clock, SystemClock
from openai_realtime_api_utils.events.redact import redact_text
from openai_realtime_api_utils.tasks import within
from tools.live_traces import TRACES

PATIENCE_S = 30.0
"""How long an event is waited for. A trace goes on without it, for that it did not come is worth recording too."""
KEPT_AUDIO = "AAAAAAAA"
SECRETS = {"authorization", "headers", "api_key", "client_secret"}


class Recorder:
    """Send events over a connection, wait for what comes back, and keep both."""

    def __init__(self, connection: Any, clock: Clock) -> None:
        self.interactions: list[dict[str, Any]] = []
        self.missed: list[str] = []
        self._connection = connection
        self._clock = clock
        self._start = clock.now()
        self._news = asyncio.Event()
        self._read = 0

    async def send(self, event: dict[str, Any]) -> None:
        """Send an event."""
        self._keep("sent", event)
        await self._connection.send_raw(json.dumps(event))

    async def receive(self) -> None:
        """Keep what comes, until the connection is closed."""
        try:
            while True:
                self._keep("received", json.loads(await self._connection.recv_bytes()))
                self._news.set()
        except ConnectionClosed:
            return

    async def until(self, *event_types: str) -> dict[str, Any]:
        """Return the next event of one of these types; an empty one if none comes in time."""

        async def found() -> dict[str, Any]:
            while True:
                while self._read < len(self.interactions):
                    interaction = self.interactions[self._read]
                    self._read += 1
                    if interaction["direction"] == "received" and interaction["data"]["type"] in event_types:
                        return interaction["data"]
                self._news.clear()
                await self._news.wait()

        try:
            return await within(PATIENCE_S, self._clock, found())
        except TimeoutError:
            self.missed.append(" or ".join(event_types))
            return {}

    async def ask(self, event: dict[str, Any], *event_types: str) -> dict[str, Any]:
        """Send an event and return what it is answered with."""
        await self.send(event)
        return await self.until(*event_types)

    async def pause(self, seconds: float) -> None:
        """Wait, as somebody does who listens."""
        await self._clock.sleep_until(self._clock.now() + seconds)

    def _keep(self, direction: str, event: dict[str, Any]) -> None:
        data, size = without_sound(event)
        kept = {"kind": "message", "direction": direction, "at_s": round(self._clock.now() - self._start, 4)}
        if size:
            kept["audio_bytes"] = size
        self.interactions.append({**kept, "data": data})


def without_sound(event: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Return an event with its sound cut to a few bytes, and how many there were."""
    is_delta = event.get("type") == "response.output_audio.delta"
    size = 0

    def cut(value: Any, key: str) -> Any:
        nonlocal size
        if isinstance(value, dict):
            return {name: cut(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [cut(each, "") for each in value]
        if isinstance(value, str) and (key == "audio" or (is_delta and key == "delta")):
            size += len(value) * 3 // 4
            return KEPT_AUDIO
        return value

    return cut(event, ""), size


def without_secrets(value: Any, key: str, name: str = "") -> Any:
    """Return an event without the key, and without whatever else is or looks like a secret."""
    if name.lower() in SECRETS and value is not None:
        return "<secret>"
    if isinstance(value, dict):
        return {each: without_secrets(inner, key, each) for each, inner in value.items()}
    if isinstance(value, list):
        return [without_secrets(inner, key) for inner in value]
    return redact_text(value.replace(key, "<secret>")) if isinstance(value, str) else value


async def record(name: str, client: AsyncOpenAI, model: str, clock: Clock) -> Recorder:
    """Hold one session by its script."""
    async with client.realtime.connect(model=model) as connection:
        recorder = Recorder(connection, clock)
        async with asyncio.TaskGroup() as tasks:
            receiving = tasks.create_task(recorder.receive())
            await recorder.until("session.created")
            await TRACES[name](recorder)
            await recorder.pause(1.0)  # what comes late belongs to it
            await connection.close()
            await receiving
    return recorder


def keep(recorder: Recorder, path: Path, key: str) -> None:
    """Write what was recorded, without secrets, and say what did not come."""
    content = without_secrets({"version": 1, "interactions": recorder.interactions}, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    told = f", but never saw {', '.join(recorder.missed)}" if recorder.missed else ""
    print(f"{path}: {len(recorder.interactions)} events{told}")


def options(arguments: list[str]) -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description="Record sessions that no public recording holds.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path("recordings"), help="where the files go")
    parser.add_argument("--only", choices=sorted(TRACES), action="append", help="this trace; several times for several")
    parser.add_argument("--model", default="gpt-realtime-2.1")
    parser.add_argument("--url", help="another server's address, such as ws://127.0.0.1:8765/v1")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Record, or say in one sentence why not."""
    asked = options(arguments)
    if os.environ.get("CI"):
        raise SystemExit("Live sessions are never recorded in CI: they cost money.")
    key = os.environ.get("OPENAI_API_KEY")
    if not key:
        raise SystemExit("OPENAI_API_KEY is not set: recording live sessions needs a key, and costs some cents.")
    for name in asked.only or sorted(TRACES):
        client = AsyncOpenAI(api_key=key, websocket_base_url=asked.url)
        recorder = asyncio.run(record(name, client, asked.model, SystemClock()))
        keep(recorder, asked.folder / f"live_{name}.yaml", key)


if __name__ == "__main__":
    main(sys.argv[1:])
