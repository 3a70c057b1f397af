"""Hold one conversation through LiveKit's AgentSession; runs in that package's environment, and prints one JSON object.

python livekit_session.py text|tool|interruption <url>
"""

import asyncio
import json
import sys

from livekit.agents import Agent, AgentSession, function_tool
from livekit.plugins import openai


@function_tool
async def get_weather(city: str) -> str:
    """Tell the weather in a city."""
    return f"sunny in {city}"


async def main(scenario: str, url: str) -> None:
    model = openai.realtime.RealtimeModel(base_url=url, api_key="dummy", model="gpt-realtime-2.1")
    errors = []
    async with AgentSession(llm=model) as session:
        session.on("error", lambda event: errors.append(str(event.error)))
        await session.start(Agent(instructions="You help.", tools=[get_weather]))
        if scenario == "interruption":
            speech = session.generate_reply(user_input=scenario)
            await asyncio.sleep(1)
            await session.interrupt()
            await speech.wait_for_playout()
        else:
            await session.run(user_input=scenario)
        items = [
            item for item in session.history.items if item.type in {"message", "function_call", "function_call_output"}
        ]
        history = [
            [
                item.type,
                getattr(item, "text_content", None) or getattr(item, "output", None),
                getattr(item, "interrupted", False),
            ]
            for item in items
        ]
    await model.aclose()
    json.dump({"errors": errors, "history": history}, sys.stdout)


asyncio.run(main(*sys.argv[1:]))
