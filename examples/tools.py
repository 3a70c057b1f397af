"""Ask for the weather by voice: the model calls a function, and speaks of what it returned.

python examples/tools.py             # with the local simulator: no key, no network
python examples/tools.py --live      # with OpenAI: needs OPENAI_API_KEY
"""

import asyncio
import sys
import time
from typing import Annotated

from openai import AsyncOpenAI
from pydantic import Field

import openai_realtime_api_utils as realtime
from openai_realtime_api_utils.simulator import LocalEngine, questions, serve


def get_weather(city: Annotated[str, Field(description="The city's name, in English.")]) -> str:
    """Tell the weather in a city."""
    time.sleep(0.3)  # as a slow service would; it runs in a thread and holds nothing up
    return f"rain in {city}"


def show(call: realtime.CallRecord) -> None:
    if call.status != "running":
        print(f"{call.name}({call.arguments}) {call.status}: {call.output}")


async def main(client: AsyncOpenAI, output: str = "answer.wav") -> None:
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        config, conversation = realtime.TrackConfig(), realtime.TrackConversation()
        arbiter, tools = realtime.ArbitrateResponses(), realtime.CallTools([get_weather], on_call=[show])
        mic = realtime.StreamMic(realtime.WavMicrophone(questions.path("weather")))
        with (
            realtime.WavSpeaker(output) as speaker,
            realtime.interruptable_audio_player(config, conversation, speaker) as iap,
        ):
            iap.audio_player.register_on_speech_end_handler(lambda _: connection.close())
            middlewares = [realtime.GiveClientEventId(), arbiter, config, conversation, tools, iap, mic]
            async with realtime.hook_middlewares(connection, middlewares) as session:
                await session.closed
    conversation.print_conversation()


async def offline(output: str = "answer.wav") -> None:
    async with serve(LocalEngine) as server, AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client:
        await main(client, output)


if __name__ == "__main__":
    asyncio.run(main(AsyncOpenAI()) if "--live" in sys.argv else offline())
