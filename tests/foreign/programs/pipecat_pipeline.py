"""Hold one conversation through a Pipecat pipeline; runs in that package's environment, and prints one JSON object.

python pipecat_pipeline.py text|tool <url>
"""

import asyncio
import json
import sys

from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import LLMRunFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.tests.utils import SleepFrame, run_test

WEATHER = FunctionSchema("get_weather", "Tell the weather.", {"city": {"type": "string"}}, ["city"])


async def get_weather(call) -> None:
    await call.result_callback(f"sunny in {call.arguments['city']}")


async def main(scenario: str, url: str) -> None:
    service = OpenAIRealtimeLLMService(api_key="dummy", base_url=url)
    service.register_function("get_weather", get_weather)
    context = LLMContext([{"role": "user", "content": scenario}], tools=ToolsSchema(standard_tools=[WEATHER]))
    pair = LLMContextAggregatorPair(context)
    pipeline = Pipeline([pair.user(), service, pair.assistant()])
    down, up = await run_test(pipeline, frames_to_send=[LLMRunFrame(), SleepFrame(sleep=2.5)])
    frames = [*down, *up]
    json.dump(
        {
            "errors": [str(frame) for frame in frames if "Error" in type(frame).__name__],
            "audio": sum(len(frame.audio) for frame in frames if type(frame).__name__ == "TTSAudioRawFrame"),
            "history": [[each["role"], each.get("content")] for each in context.messages],
        },
        sys.stdout,
    )


asyncio.run(main(*sys.argv[1:]))
