"""Ask in writing and get the answer in writing: a script of five lines.

python examples/ask.py               # with the local simulator: no key, no network
python examples/ask.py --live        # with OpenAI: needs OPENAI_API_KEY
"""

import asyncio
import sys

from openai import AsyncOpenAI

from openai_realtime_api_utils import Ask, hook_middlewares
from openai_realtime_api_utils.simulator import LocalEngine, serve


async def main(client: AsyncOpenAI) -> None:
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        ask = Ask()
        async with hook_middlewares(connection, [ask]):
            answer = await ask.text("What is six times seven?")
            print(answer.text)


async def offline() -> None:
    async with serve(LocalEngine) as server, AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client:
        await main(client)


if __name__ == "__main__":
    asyncio.run(main(AsyncOpenAI()) if "--live" in sys.argv else offline())
