"""Ask a spoken question and get a spoken answer: the fewest lines that do the job.

python examples/simple.py            # with the local simulator: no key, no network
python examples/simple.py --live     # with OpenAI: needs OPENAI_API_KEY
"""

import asyncio
import sys

from openai import AsyncOpenAI

import openai_realtime_api_utils as realtime
from openai_realtime_api_utils.simulator import LocalEngine, questions, serve


async def main(client: AsyncOpenAI, output: str = "answer.wav") -> str:
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        config, conversation = realtime.TrackConfig(), realtime.TrackConversation()
        mic = realtime.StreamMic(realtime.WavMicrophone(questions.path()))
        with (
            realtime.WavSpeaker(output) as speaker,
            realtime.interruptable_audio_player(config, conversation, speaker) as iap,
        ):
            iap.audio_player.register_on_speech_end_handler(lambda _: connection.close())
            async with realtime.hook_middlewares(connection, [config, conversation, iap, mic]) as session:
                await session.closed
        return conversation.transcript()


async def offline(output: str = "answer.wav") -> str:
    async with serve(LocalEngine) as server, AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client:
        return await main(client, output)


if __name__ == "__main__":
    print(asyncio.run(main(AsyncOpenAI()) if "--live" in sys.argv else offline()))
