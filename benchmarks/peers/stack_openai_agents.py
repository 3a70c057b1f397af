"""openai-agents: a RealtimeSession that is iterated."""

import asyncio
from typing import Any

from agents import set_tracing_disabled
from agents.realtime import RealtimeAgent, RealtimeRunner
from drive import PCM_20_MS, Session

set_tracing_disabled(True)


async def begin(url: str, told: Any) -> Session:
    runner = RealtimeRunner(RealtimeAgent(name="agent", instructions="Be brief."))
    settings = {"model_name": "gpt-realtime", "tracing": None}
    session = await runner.run(model_config={"api_key": "sk-none", "url": url, "initial_model_settings": settings})
    await session.enter()

    async def receive() -> None:
        async for event in session:
            match event.type:
                case "audio":
                    told.audio(event.audio.data)
                case "audio_interrupted":
                    told.interrupted()
                case "raw_model_event" if event.data.type == "raw_server_event":
                    told.event()
                    raw = event.data.data
                    if raw["type"] == "conversation.item.deleted":
                        told.end(raw["event_id"])

    opened = Session(lambda: session.send_audio(PCM_20_MS), session.close)
    opened.task = asyncio.get_running_loop().create_task(receive())  # type: ignore[attr-defined]
    return opened
