"""The openai package by itself: iterate over the connection, append through its resource."""

import asyncio
import base64
from typing import Any

import openai
from drive import PCM_20_MS, Session

clients: dict[str, openai.AsyncOpenAI] = {}


async def begin(url: str, told: Any) -> Session:
    base = url.rsplit("/realtime", 1)[0]
    client = clients.setdefault(base, openai.AsyncOpenAI(websocket_base_url=base))
    connection = await client.realtime.connect(model="gpt-realtime").enter()
    await connection.session.update(session={"type": "realtime"})

    async def receive() -> None:
        async for event in connection:
            told.event()
            match event.type:
                case "response.output_audio.delta":
                    told.audio(base64.b64decode(event.delta))
                case "input_audio_buffer.speech_started":
                    told.interrupted()
                case "conversation.item.deleted":
                    told.end(event.event_id)

    async def append() -> None:
        await connection.input_audio_buffer.append(audio=base64.b64encode(PCM_20_MS).decode())

    session = Session(append, connection.close)
    session.task = asyncio.get_running_loop().create_task(receive())  # type: ignore[attr-defined]
    return session
