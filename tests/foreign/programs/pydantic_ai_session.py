"""Hold one conversation through pydantic-ai; runs in that package's environment, and prints one JSON object.

python pydantic_ai_session.py text|tool|spoken|interruption <url> [<file of pcm16>]
"""

import asyncio
import json
import sys
from pathlib import Path

from pydantic_ai import Agent
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.realtime.openai import OpenAIRealtimeModel

agent = Agent(instructions="You help.")
CHUNK = 4_800  # bytes: 100 ms


@agent.tool_plain
def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"sunny in {city}"


async def speak(session, path: str) -> None:
    sound = Path(path).read_bytes()
    for at in range(0, len(sound), CHUNK):
        await session.send_audio(sound[at : at + CHUNK])
        await asyncio.sleep(0.01)


async def main(scenario: str, url: str, path: str = "") -> None:
    seen = []
    model = OpenAIRealtimeModel("gpt-realtime-2.1", provider=OpenAIProvider(base_url=url, api_key="dummy"))
    async with agent.realtime(model).session() as session:
        await (speak(session, path) if scenario == "spoken" else session.send(scenario))
        deltas, ended = 0, 0
        async for event in session:
            name = type(event).__name__
            if name == "PartDeltaEvent":
                deltas += 1
                if scenario == "interruption" and deltas == 15:
                    await session.interrupt(played_ms=200)
            else:
                seen.append(name)
            ended += name == "RealtimeTurnCompleteEvent"
            if ended == 1:
                break
        history = [
            [type(part).__name__, str(getattr(part, "transcript", None) or getattr(part, "content", None) or "")]
            for each in session.all_messages()
            for part in each.parts
        ]
    json.dump({"seen": seen, "history": history}, sys.stdout)


asyncio.run(main(*sys.argv[1:]))
