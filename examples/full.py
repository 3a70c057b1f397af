"""Hook every handler by name: the long form, in which each event's way can be read off.

python examples/full.py              # with the local simulator: no key, no network
python examples/full.py --live       # with OpenAI: needs OPENAI_API_KEY
"""

import asyncio
import sys

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent

from openai_realtime_api_utils import (
    Metadata,
    Microphone,
    Speaker,
    WavMicrophone,
    WavSpeaker,
    hook_handlers,
    middlewares,
)
from openai_realtime_api_utils.simulator import LocalEngine, questions, serve

SESSION = {"type": "realtime", "audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}}


async def converse(
    connection: AsyncRealtimeConnection, microphone: Microphone, speaker: Speaker
) -> middlewares.TrackConversation:
    """Hold a conversation until the first answer has sounded to its end."""
    track_config = middlewares.TrackConfig()
    track_conversation = middlewares.TrackConversation()
    print_events = middlewares.PrintEvents()

    def f(event: RealtimeServerEvent, metadata: Metadata, connection: AsyncRealtimeConnection):
        """Be a handler of your own: watch the event, return another in its place, or None to drop it."""
        if event.type == "response.done":
            print(f"the response {event.response.id} is {event.response.status}", file=sys.stderr)
        return event, metadata

    with (
        middlewares.interruptable_audio_player(track_config, track_conversation, speaker) as (
            audio_player,
            interrupt,  # noqa: RUF059  (push-to-talk would call it)
            iap_server_handlers,
            iap_register_send_with_handlers,
        ),
        middlewares.StreamMic(microphone) as stream_mic,
    ):
        audio_player.register_on_speech_end_handler(lambda speech_id: connection.close())
        with hook_handlers(
            connection,
            server_event_handlers=[
                track_config.server_event_handler,  # views session.updated
                track_conversation.server_event_handler,  # views various events
                *iap_server_handlers,  # views e.g. response.output_audio.delta
                stream_mic.server_event_handler,  # views session.updated
                print_events.server_event_handler,  # views all events
                f,
            ],
            client_event_handlers=[
                middlewares.GiveClientEventId().client_event_handler,  # alters all events without an id
                track_config.client_event_handler,  # views session.update
                track_conversation.client_event_handler,  # views various events
                print_events.client_event_handler,  # views all events
            ],
        ) as (keep_receiving, send):
            iap_register_send_with_handlers(send)  # needs to send interrupt events
            stream_mic.register_send_with_handlers(send)  # needs to send audio input
            receiving = asyncio.create_task(keep_receiving())
            await send({"type": "session.update", "session": SESSION})
            await receiving  # until the connection is closed; raises what ended it otherwise
    return track_conversation


async def main(client: AsyncOpenAI, output: str = "answer.wav") -> middlewares.TrackConversation:
    async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
        with WavSpeaker(output) as speaker:
            return await converse(connection, WavMicrophone(questions.path()), speaker)


async def offline(output: str = "answer.wav") -> middlewares.TrackConversation:
    async with serve(LocalEngine) as server, AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client:
        return await main(client, output)


if __name__ == "__main__":
    asyncio.run(main(AsyncOpenAI()) if "--live" in sys.argv else offline()).print_conversation()
