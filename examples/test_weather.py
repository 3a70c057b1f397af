"""A test of a voice application: no key, no network, no sound card. Run it with  pytest examples/test_weather.py"""

from contextlib import asynccontextmanager

import pytest

from openai_realtime_api_utils import CallTools, StreamMic, TrackConfig, TrackConversation, hook_middlewares
from openai_realtime_api_utils import interruptable_audio_player as player


def get_weather(city: str) -> dict[str, str]:
    """Return the weather in a city."""
    return {"city": city, "sky": "clear"}


@asynccontextmanager
async def my_agent(connect):
    """The application, given what opens a session: ``client.realtime.connect``, or the fixture's."""
    async with (
        connect(model="gpt-realtime-2.1") as connection,
        hook_middlewares(connection, [CallTools([get_weather])]) as session,
    ):
        yield session


@asynccontextmanager
async def my_speaking_agent(connect, microphone, speaker, clock):
    """The same with ears and a voice."""
    config, talk = TrackConfig(), TrackConversation()
    with player(config, talk, speaker, clock=clock) as iap, StreamMic(microphone, clock=clock) as mic:
        async with connect(model="gpt-realtime-2.1") as connection:
            middlewares = [config, talk, iap, mic, CallTools([get_weather], track_conversation=talk)]
            async with hook_middlewares(connection, middlewares, clock=clock) as session:
                yield session


@pytest.mark.asyncio
async def test_weather(realtime):
    realtime.dialogue.on("weather").call("get_weather", city="Paris").then_say("Sunny.")
    async with my_agent(realtime.connect) as agent:  # noqa: F841
        await realtime.room.say("what is the weather in paris")
        await realtime.quiet()
    assert realtime.called("get_weather", city="Paris") and realtime.heard() == "Sunny."  # noqa: PT018


@pytest.mark.asyncio
async def test_interruption(realtime):
    realtime.dialogue.on("story").say("Once upon a time there was a king who had a very long beard. " * 5)
    realtime.dialogue.on("stop").say("All right.")
    room = realtime.room
    async with my_speaking_agent(realtime.connect, room.microphone, room.speaker, realtime.clock):
        await room.say("tell me a story")
        await realtime.clock.sleep_until(realtime.clock.now() + 4)
        await room.say("please stop")
        await realtime.quiet()
    assert realtime.heard().startswith("Once upon a time")
    assert realtime.heard().endswith("All right.")
    assert len(realtime.heard()) < len(realtime.said())
    assert realtime.errors == []
