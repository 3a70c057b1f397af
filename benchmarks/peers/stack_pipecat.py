"""pipecat-ai: its OpenAI realtime service between the two halves of a context aggregator, as its examples have it."""

import asyncio
import os
from typing import Any

from drive import PCM_20_MS, Session
from loguru import logger

logger.remove()

import pipecat.services.openai.realtime.llm as service_module  # noqa: E402
from pipecat.frames import frames  # noqa: E402
from pipecat.pipeline.pipeline import Pipeline  # noqa: E402
from pipecat.processors.aggregators.llm_context import LLMContext  # noqa: E402
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair  # noqa: E402
from pipecat.processors.frame_processor import FrameProcessor  # noqa: E402

try:
    from pipecat.pipeline.task import PipelineParams, PipelineTask
except ImportError:
    from pipecat.pipeline.worker import PipelineParams
    from pipecat.pipeline.worker import PipelineWorker as PipelineTask


async def begin(url: str, told: Any) -> Session:
    service = service_module.OpenAIRealtimeLLMService(api_key=os.environ["OPENAI_API_KEY"], base_url=url)
    aggregators = LLMContextAggregatorPair(LLMContext())
    parse = service_module.events.parse_server_event

    class Output(FrameProcessor):
        async def process_frame(self, frame: Any, direction: Any) -> None:
            await super().process_frame(frame, direction)
            if isinstance(frame, frames.TTSAudioRawFrame):
                told.audio(frame.audio)
            elif isinstance(frame, frames.InterruptionFrame):
                told.interrupted()
            await self.push_frame(frame, direction)

    def parsed(message: Any) -> Any:
        told.event()
        event = parse(message)
        if event is not None and event.type == "conversation.item.deleted":
            asyncio.get_running_loop().call_later(0, told.end, event.event_id)
        return event

    service_module.events.parse_server_event = parsed
    pipeline = Pipeline([aggregators.user(), service, Output(), aggregators.assistant()])
    task = PipelineTask(pipeline, params=PipelineParams())
    try:
        from pipecat.pipeline.runner import PipelineRunner

        running = asyncio.get_running_loop().create_task(PipelineRunner(handle_sigint=False).run(task))
    except (ImportError, TypeError):
        from pipecat.workers.runner import WorkerRunner

        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(task)
        running = asyncio.get_running_loop().create_task(runner.run())

    async def append() -> None:
        await task.queue_frame(frames.InputAudioRawFrame(PCM_20_MS, 24000, 1))

    session = Session(append, task.cancel)
    session.task = running  # type: ignore[attr-defined]
    return session
