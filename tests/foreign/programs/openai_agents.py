"""Hold one conversation through openai-agents; runs in that package's environment, and prints one JSON object.

python openai_agents.py text|spoken|spoken_tool|tool|handoff|interruption <url> [<file of pcm16>]
"""

import asyncio
import json
import sys
from pathlib import Path

from agents import function_tool
from agents.realtime import RealtimeAgent, RealtimeRunner, realtime_handoff

CHUNK = 4_800  # bytes: 100 ms
TURNS = {"text": 1, "spoken": 1, "spoken_tool": 2, "tool": 2, "handoff": 2, "interruption": 2}
SETTINGS = {"turn_detection": {"type": "server_vad", "silence_duration_ms": 300, "interrupt_response": True}}


@function_tool
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"sunny in {city}"


REFUNDS = RealtimeAgent(name="refunds", instructions="You refund.")
AGENT = RealtimeAgent(name="main", instructions="You help.", tools=[get_weather], handoffs=[realtime_handoff(REFUNDS)])


async def speak(session, path: str) -> None:
    sound = Path(path).read_bytes()
    for at in range(0, len(sound), CHUNK):
        await session.send_audio(sound[at : at + CHUNK])
        await asyncio.sleep(0.01)


async def main(scenario: str, url: str, path: str = "") -> None:
    seen, errors, audio, ended, speaking = [], [], 0, 0, None
    model_config = {"url": url, "api_key": "dummy", "initial_model_settings": SETTINGS}
    session = await RealtimeRunner(AGENT).run(model_config=model_config)
    async with session:
        await (speak(session, path) if scenario.startswith("spoken") else session.send_message(scenario))
        async for event in session:
            if event.type == "audio":
                audio += len(event.audio.data)
                if scenario == "interruption" and speaking is None and audio > 24_000:
                    speaking = asyncio.create_task(speak(session, path))
            elif event.type == "error":
                errors.append(str(event.error))
            elif event.type not in {"raw_model_event", "history_added", "history_updated"}:
                seen.append(event.type)
            ended += event.type == "agent_end"
            if ended == TURNS[scenario]:
                break
        history = [item.model_dump(exclude={"item_id", "previous_item_id"}) for item in session._history]
    json.dump({"seen": seen, "errors": errors, "audio": audio, "history": history}, sys.stdout)


asyncio.run(main(*sys.argv[1:]))
