"""Send the simulator what a recorded client sent, and hear what the recorded user said."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from openai_realtime_api_utils.audio.resample import resample
from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.host.wav_reader import read_wav
from openai_realtime_api_utils.simulator import Settings, WebRtcVad, connect, load_scenario, questions
from openai_realtime_api_utils.simulator.phone_call import no_hush, open_call, unheard
from openai_realtime_api_utils.simulator.service import Service

Event = dict[str, Any]
Send = Callable[[str], Awaitable[Any]]
Hear = Callable[[Any], Awaitable[Any]]

RATE, FRAME = 24_000, 480
PATIENCE_S = 15.0
"""How long the replay waits, on its clock, for events that the recording has before the next client event."""
OPEN = {"rate_limits.updated"}
"""Events whose presence is not compared: this one is not in every recording, and may come late."""
ID_PREFIXES = ("item_", "resp_", "conv_", "sess_", "call_")


class Labels:
    """Replace ids by the order in which they appeared."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def shown(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {k: "an id" if k == "event_id" else self.shown(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.shown(each) for each in value]
        if isinstance(value, str) and value.startswith(ID_PREFIXES):
            prefix = value.partition("_")[0]
            number = sum(each.startswith(f"{prefix} ") for each in self.of.values()) + 1
            return self.of.setdefault(value, f"{prefix} {number}")
        return value


class Replay:
    """Send what a recorded client sent, each event when all has come that the recording has before it."""

    def __init__(self, path: Path, messages: list[tuple[str, Event]], clock: ManualClock) -> None:
        self._scenario = load_scenario(path)
        self._messages = messages
        self._clock = clock
        self._sound = sound_of(messages)
        self._position = 0
        self._came: list[Event] = []

    async def run(self) -> list[Event]:
        """Return the server events that came."""
        received = [event for direction, event in self._messages if direction == "received"]
        model = next((event["session"].get("model") for event in received if "session" in event), None)
        is_sideband = received[0]["type"] != "session.created"
        async with self._called(model) if is_sideband else self._connected(model) as (send, hear):
            await self._replay(send, hear, starts_at_once=is_sideband)
        return self._came

    async def _replay(self, send: Send, hear: Hear, *, starts_at_once: bool = False) -> None:
        async with asyncio.TaskGroup() as tasks:
            streaming = tasks.create_task(self._stream(hear)) if starts_at_once else None
            before: list[Event] = []
            for direction, event in self._messages:
                if direction == "received":
                    before.append(event)
                elif event["type"] != "input_audio_buffer.append":
                    await self._until(before)
                    await send(json.dumps(self._ours(event, before)))
                elif streaming is None:
                    await self._until(before)
                    streaming = tasks.create_task(self._stream(hear))
            await self._until(before)
            if streaming is not None:
                streaming.cancel()

    @asynccontextmanager
    async def _connected(self, model: str | None) -> AsyncGenerator[tuple[Send, Hear]]:
        """Connect as most clients do, and append the user's sound."""
        engine = self._scenario.engine(clock=self._clock)
        async with connect(engine, model=model, clock=self._clock, created_at=0, watch=self._watch) as connection:

            async def hear(frame: Any) -> None:
                audio = base64.b64encode(frame.tobytes()).decode()
                await connection.send_raw(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))

            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(_read_all(connection))
                yield connection.send_raw, hear
                reading.cancel()

    @asynccontextmanager
    async def _called(self, model: str | None) -> AsyncGenerator[tuple[Send, Hear]]:
        """Attach to a call, whose sound goes its own way."""
        service = Service(lambda: self._scenario.engine(clock=self._clock), Settings(), self._clock, WebRtcVad, 0, None)
        frames: asyncio.Queue[str] = asyncio.Queue()

        async def came(frame: str) -> None:
            self._watch("server", frame)

        async def closed(_code: int, _reason: str) -> None:
            return

        calling = open_call(service, model=model, given=None, on_speech=unheard, on_hush=no_hush)
        async with calling as call, asyncio.TaskGroup() as tasks:
            attached = tasks.create_task(call.attach(_all_of(frames), came, closed))
            yield frames.put, call.speak
            attached.cancel()

    def _watch(self, sender: str, frame: str | bytes) -> None:
        if sender == "server":
            self._came.append(json.loads(frame))

    async def _stream(self, hear: Hear) -> None:
        """Let the sound be heard in real time, and silence after it."""
        start = self._clock.now()
        while True:
            frame = self._sound[self._position : self._position + FRAME]
            frame = np.concatenate((frame, np.zeros(FRAME - len(frame), np.int16)))
            self._position += FRAME
            await self._clock.sleep_until(start + self._position / RATE)
            await hear(frame)

    async def _until(self, before: list[Event]) -> None:
        """Wait until each kind of event has come as often as it was recorded by now; of deltas one will do."""
        needed = Counter(event["type"] for event in before if event["type"] not in OPEN)
        limit = self._clock.now() + PATIENCE_S + len(self._sound) / RATE
        while self._clock.now() < limit:
            came = Counter(event["type"] for event in self._came)
            if all(came[kind] >= (1 if kind.endswith(".delta") else n) for kind, n in needed.items()):
                return
            await self._clock.sleep_until(self._clock.now() + 0.005)

    def _ours(self, event: Event, before: list[Event]) -> Event:
        """Return a recorded client event with the ids of this session in place of the recorded ones."""
        theirs, ours = Labels(), Labels()
        theirs.shown(before)
        ours.shown(self._came)
        by_label = {label: id_ for id_, label in ours.of.items()}
        text = json.dumps(event)
        for id_, label in theirs.of.items():
            text = text.replace(f'"{id_}"', f'"{by_label.get(label, id_)}"')
        return json.loads(text)


async def _read_all(connection: Any) -> None:
    while True:
        await connection.recv_bytes()


async def _all_of(queue: asyncio.Queue[str]) -> AsyncIterator[str]:
    while True:
        yield await queue.get()


def sound_of(messages: list[tuple[str, Event]]) -> Any:
    """Return speech where the recording says that somebody spoke, and silence elsewhere: int16 at 24 kHz."""
    detection: Event = {}
    spans: list[list[int]] = []
    ends = 0
    for direction, event in messages:
        if direction == "received" and "session" in event:
            detection = event["session"]["audio"]["input"].get("turn_detection") or {}
        if event["type"] == "input_audio_buffer.speech_started":
            spans.append([event["audio_start_ms"] + detection.get("prefix_padding_ms", 300), 0])
        if event["type"] == "input_audio_buffer.speech_stopped":
            spans[-1][1] = event["audio_end_ms"] - detection.get("silence_duration_ms", 500)
        ends = max(ends, event.get("audio_end_ms", 0))
    if not spans and any(event["type"] == "input_audio_buffer.commit" for _, event in messages):
        spans = [[0, 1500]]  # the client detects turns by itself
    sound = np.zeros((max([ends, *(end for _, end in spans)]) + 1000) * RATE // 1000, np.int16)
    for start, end in spans:
        length = (end - start) * RATE // 1000
        sound[start * RATE // 1000 :][:length] = speech(length)
    return sound


def speech(length: int) -> Any:
    """Return so much of a shipped question, over and over without a pause."""
    samples = resample(read_wav(questions.path("weather")), 16_000, RATE)
    loud = np.flatnonzero(np.abs(samples) > np.abs(samples).max() * 0.05)
    return np.resize(samples[loud[0] : loud[-1]], length)
