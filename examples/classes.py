"""Build a voice application that is meant to grow: parts in classes, each handed what it needs.

python examples/classes.py           # with the local simulator: no key, no network
python examples/classes.py --live    # with OpenAI: needs OPENAI_API_KEY
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI

from openai_realtime_api_utils import (
    GiveClientEventId,
    Metadata,
    Microphone,
    Middleware,
    Speaker,
    SpeechId,
    StreamMic,
    TrackConfig,
    TrackConversation,
    WavMicrophone,
    WavSpeaker,
    hook_middlewares,
    interruptable_audio_player,
)
from openai_realtime_api_utils.simulator import LocalEngine, questions, serve


class Subtitles:
    """Be a middleware of your own: print what is said, as soon as it is whole."""

    def server_event_handler(self, event: Any, metadata: Metadata, connection: Any) -> Any:
        if event.type == "conversation.item.input_audio_transcription.completed":
            print("you:      ", event.transcript)
        elif event.type == "response.output_audio_transcript.done":
            print("assistant:", event.transcript)
        return event, metadata


@dataclass
class VoiceApp:
    """Hold a conversation over given devices, until as many answers have sounded as were wanted."""

    microphone: Microphone
    speaker: Speaker
    instructions: str = "Answer in one short sentence."
    more: list[Middleware] = field(default_factory=list)
    config: TrackConfig = field(default_factory=TrackConfig)
    conversation: TrackConversation = field(default_factory=TrackConversation)

    async def run(self, client: AsyncOpenAI, model: str = "gpt-realtime-2.1", answers: int = 1) -> None:
        async with AsyncExitStack() as stack:
            connection = await stack.enter_async_context(client.realtime.connect(model=model))
            player = stack.enter_context(interruptable_audio_player(self.config, self.conversation, self.speaker))
            heard: list[SpeechId] = []

            async def on_speech_end(speech_id: SpeechId) -> None:
                heard.append(speech_id)
                if len(heard) == answers:
                    await connection.close()

            player.audio_player.register_on_speech_end_handler(on_speech_end)
            middlewares = [GiveClientEventId(), self.config, self.conversation, player, StreamMic(self.microphone)]
            session = await stack.enter_async_context(hook_middlewares(connection, [*middlewares, *self.more]))
            await session.send({"type": "session.update", "session": self.session})
            await session.closed

    @property
    def session(self) -> dict[str, Any]:
        transcription = {"model": "gpt-realtime-whisper"}
        return {
            "type": "realtime",
            "instructions": self.instructions,
            "audio": {"input": {"transcription": transcription}},
        }


async def main(client: AsyncOpenAI, output: str = "answer.wav", question: Path | None = None) -> TrackConversation:
    with WavSpeaker(output) as speaker:
        app = VoiceApp(WavMicrophone(question or questions.path("two_turns")), speaker, more=[Subtitles()])
        await app.run(client, answers=2)
    return app.conversation


async def offline(output: str = "answer.wav") -> TrackConversation:
    async with serve(LocalEngine) as server, AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client:
        return await main(client, output)


if __name__ == "__main__":
    asyncio.run(main(AsyncOpenAI()) if "--live" in sys.argv else offline())
