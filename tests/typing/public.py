"""Only has to type-check, under pyright strict: handlers, middlewares and the short form as a user writes them."""

from typing import assert_type

from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent
from openai.types.realtime.realtime_client_event_param import RealtimeClientEventParam

from openai_realtime_api_utils import (
    RECEIVED_AT,
    ClientEventHandler,
    Connection,
    GiveClientEventId,
    MemoryMicrophone,
    MemorySpeaker,
    Metadata,
    Microphone,
    Middleware,
    ServerEventHandler,
    Speaker,
    StreamMic,
    TrackConfig,
    TrackConversation,
    WavMicrophone,
    WavSpeaker,
    hook_handlers,
    hook_middlewares,
    interruptable_audio_player,
)


def watch(
    event: RealtimeServerEvent, metadata: Metadata, connection: Connection
) -> tuple[RealtimeServerEvent | None, Metadata]:
    if event.type == "response.output_audio_transcript.delta":
        assert_type(event.delta, str)
    assert_type(RECEIVED_AT.get(metadata), float | None)
    return event, metadata


async def drop(
    event: RealtimeClientEventParam, metadata: Metadata, connection: Connection
) -> tuple[RealtimeClientEventParam | None, Metadata]:
    return (None if event["type"] == "response.create" else event), metadata


server_handler: ServerEventHandler = watch
client_handler: ClientEventHandler = drop
middleware: Middleware = TrackConversation()


async def hook(connection: AsyncRealtimeConnection, microphone: Microphone, speaker: Speaker) -> None:
    with hook_handlers(connection, [watch], [drop]) as (keep_receiving, send):
        await send({"type": "response.create"})
        await keep_receiving()
    config, conversation = TrackConfig(), TrackConversation()
    with interruptable_audio_player(config, conversation, speaker) as iap, StreamMic(microphone) as mic:
        middlewares = [GiveClientEventId(), config, conversation, iap, mic]
        async with hook_middlewares(connection, middlewares) as session:
            await session.send({"type": "response.create"})
            assert_type(await session.closed, None)


def devices(mic: WavMicrophone, wav: WavSpeaker, memory: MemorySpeaker, said: MemoryMicrophone) -> None:
    microphones: list[Microphone] = [mic, said]
    speakers: list[Speaker] = [wav, memory]
    del microphones, speakers
