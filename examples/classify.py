"""Classify what a user said beside the conversation, which does not come to know of it; the result is JSON.

python examples/classify.py          # with a scripted simulator: no key, no network
python examples/classify.py --live   # with OpenAI: needs OPENAI_API_KEY
"""

import asyncio
import sys

from openai import AsyncOpenAI

from openai_realtime_api_utils import Ask, hook_middlewares, user_text
from openai_realtime_api_utils.simulator import ScriptedEngine, serve

PROMPT = 'Answer with JSON only: {"topic": "billing" | "support" | "sales", "is_angry": true | false}'


async def main(client: AsyncOpenAI) -> None:
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        ask = Ask()
        async with hook_middlewares(connection, [ask]):
            for said in ("My invoice is wrong again!", "Which phone do you recommend?"):
                item = user_text(said)["item"]
                answer = await ask.response(
                    conversation="none", input=[item], instructions=PROMPT, output_modalities=["text"]
                )
                print(f"{said}  ->  {answer.json()}")


def scripted() -> ScriptedEngine:
    angry, calm = '{"topic": "billing", "is_angry": true}', '{"topic": "sales", "is_angry": false}'
    return ScriptedEngine(replies={"invoice": angry, "phone": calm})


async def offline() -> None:
    async with serve(scripted) as server, AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client:
        await main(client)


if __name__ == "__main__":
    asyncio.run(main(AsyncOpenAI()) if "--live" in sys.argv else offline())
