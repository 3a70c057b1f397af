"""Speak as a Realtime server does: the events of a response, and a stand-in for ``send``."""

import asyncio
import base64
from typing import Any

import numpy as np

from openai_realtime_api_utils.events import decode
from openai_realtime_api_utils.events.encode import encode

RATE = 24_000


def server(type_: str, **fields: Any) -> Any:
    """Return a server event as ``hook_handlers`` would hand it on."""
    return decode(encode({"type": type_, "event_id": "event_1", **fields}))


def session_event(type_: str = "session.created", *, turn_detection: Any = "default", **audio: Any) -> Any:
    """Return a session's event; ``audio`` may hold ``input_format`` and ``output_format``."""
    hears: dict[str, Any] = {"format": audio.get("input_format", {"type": "audio/pcm", "rate": RATE})}
    if turn_detection != "default":
        hears["turn_detection"] = turn_detection
    says = {"format": audio.get("output_format", {"type": "audio/pcm", "rate": RATE})}
    kind = audio.get("session_type", "realtime")
    return server(type_, session={"type": kind, "audio": {"input": hears, "output": says}})


def response_created(response_id: str = "resp_1", *, conversation_id: str | None = "conv_1", **fields: Any) -> Any:
    response = {"id": response_id, "object": "realtime.response", "status": "in_progress", "output": []}
    return server("response.created", response={**response, "conversation_id": conversation_id, **fields})


def response_done(response_id: str = "resp_1", status: str = "completed") -> Any:
    return server("response.done", response={"id": response_id, "status": status, "output": []})


def audio_delta(audio: Any, item_id: str = "item_1", response_id: str = "resp_1", content_index: int = 0) -> Any:
    """Return a piece of speech: samples, bytes, or text that is taken as the base64."""
    if isinstance(audio, np.ndarray):
        audio = audio.astype("<i2").tobytes()
    delta = audio if isinstance(audio, str) else base64.b64encode(audio).decode()
    ids = {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": content_index}
    return server("response.output_audio.delta", delta=delta, **ids)


def words_delta(text: str, item_id: str = "item_1", response_id: str = "resp_1") -> Any:
    ids = {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}
    return server("response.output_audio_transcript.delta", delta=text, **ids)


def audio_done(item_id: str = "item_1", response_id: str = "resp_1") -> Any:
    ids = {"response_id": response_id, "item_id": item_id, "output_index": 0, "content_index": 0}
    return server("response.output_audio.done", **ids)


def speech_started() -> Any:
    return server("input_audio_buffer.speech_started", item_id="item_user", audio_start_ms=0)


def speech_stopped() -> Any:
    return server("input_audio_buffer.speech_stopped", item_id="item_user", audio_end_ms=500)


def refusal(event_id: str | None, code: str | None, message: str = "") -> Any:
    error = {"type": "invalid_request_error", "code": code, "message": message, "param": None, "event_id": event_id}
    return server("error", error=error)


def steady(ms: float, value: int = 1_000, rate: int = RATE) -> Any:
    """Return so many milliseconds of a constant."""
    return np.full(round(rate * ms / 1000), value, np.int16)


class FakeSend:
    """Keep what is sent, and own what is spawned, until the test closes it."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.tasks: list[asyncio.Task[Any]] = []
        self.refuse_with: Exception | None = None
        self.may_send = asyncio.Event()
        self.may_send.set()

    async def __call__(self, event: dict[str, Any]) -> dict[str, Any]:
        await self.may_send.wait()
        if self.refuse_with is not None:
            raise self.refuse_with
        self.sent.append(event)
        return event

    def spawn(self, work: Any, *, name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.append(task)
        return task

    def by(self, name: str) -> "FakeSend":
        return self

    def on_end(self, tell: Any) -> None:
        pass

    def types(self) -> list[str]:
        return [event["type"] for event in self.sent]

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        for result in await asyncio.gather(*self.tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
