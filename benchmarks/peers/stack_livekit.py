"""livekit-plugins-openai: its RealtimeSession, read to the last frame. It sends five appends as one of 100 ms."""

import asyncio
import os
from collections.abc import Coroutine
from typing import Any

import aiohttp
from drive import PCM_20_MS, Session
from livekit import rtc
from livekit.plugins.openai import realtime

http: list[aiohttp.ClientSession] = []
running: set[asyncio.Task[Any]] = set()


def start(work: Coroutine[Any, Any, Any]) -> None:
    task = asyncio.get_running_loop().create_task(work)
    running.add(task)
    task.add_done_callback(running.discard)


async def begin(url: str, told: Any) -> Session:
    if not http:
        http.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    key = os.environ["OPENAI_API_KEY"]
    model = realtime.RealtimeModel(api_key=key, base_url=url, model="gpt-realtime", http_session=http[0])
    session = model.session()
    is_open = asyncio.Event()

    async def drain(stream: Any) -> None:
        async for _ in stream:
            pass

    async def play(stream: Any) -> None:
        async for frame in stream:
            told.audio(frame.data)

    async def messages(generation: Any) -> None:
        async for message in generation.message_stream:
            start(play(message.audio_stream))
            start(drain(message.text_stream))

    def generated(generation: Any) -> None:
        start(messages(generation))
        start(drain(generation.function_stream))

    def received(event: dict[str, Any]) -> None:
        told.event()
        is_open.set()
        if event["type"] == "conversation.item.deleted":
            asyncio.get_running_loop().call_soon(told.end, event["event_id"])

    session.on("generation_created", generated)
    session.on("openai_server_event_received", received)
    session.on("input_speech_started", lambda _: told.interrupted())
    await asyncio.wait_for(is_open.wait(), 30)
    frame = rtc.AudioFrame(PCM_20_MS, 24000, 1, 480)

    async def append() -> None:
        session.push_audio(frame)

    return Session(append, session.aclose)
