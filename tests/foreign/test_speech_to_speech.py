"""Our middlewares against a server that is not ours: Hugging Face's speech-to-speech, with rules in place of models.

Its dialect: items are announced as ``conversation.item.created``, and the assistant's not at all; session objects leave
formats open and mean 16 kHz by it, so that an application has to name them; a truncate is taken without an answer; a
response that is cut off is done before the speech that cuts it off has started; some client events are unknown to it.
"""

import asyncio
import logging
import subprocess
from collections import Counter
from contextlib import asynccontextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from foreign_environments import PROGRAMS, runner_of
from openai import AsyncOpenAI

from openai_realtime_api_utils import (
    GiveClientEventId,
    MemoryMicrophone,
    MemorySpeaker,
    SystemClock,
    TrackConfig,
    TrackConversation,
    hook_middlewares,
)
from openai_realtime_api_utils.audio.level import peak_dbfs
from openai_realtime_api_utils.middlewares import StreamMic, interruptable_audio_player
from openai_realtime_api_utils.simulator import synthetic_speech

RATE = 24_000
PCM = {"format": {"type": "audio/pcm", "rate": RATE}}
FORMATS = {"type": "session.update", "session": {"type": "realtime", "audio": {"input": PCM, "output": PCM}}}


@pytest.fixture(scope="module")
def url():
    """Run the server in its own environment; yield its address."""
    command = [runner_of("speech_to_speech"), PROGRAMS / "speech_to_speech_server.py"]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **streams) as server:  # which closes its standard input, and that ends it
        yield f"ws://127.0.0.1:{int(server.stdout.readline())}/v1"


class Watch:
    """Count what the server sends, and wait for it."""

    def __init__(self) -> None:
        self.seen = Counter()
        self.statuses = []
        self.news = asyncio.Event()

    def server_event_handler(self, event, metadata, connection):
        self.seen[event.type] += 1
        if event.type == "response.done":
            self.statuses.append(event.response.status)
        self.news.set()
        return event, metadata

    async def until(self, event_type, times=1):
        while self.seen[event_type] < times:
            self.news.clear()
            await self.news.wait()


@asynccontextmanager
async def talking(url):
    """Connect everything that a voice application has."""
    clock = SystemClock()
    config, talk, watch = TrackConfig(), TrackConversation(), Watch()
    microphone, speaker = MemoryMicrophone(clock), MemorySpeaker(clock)
    async with (
        AsyncOpenAI(api_key="any", websocket_base_url=url) as client,
        client.realtime.connect(model="any") as connection,
    ):
        with interruptable_audio_player(config, talk, speaker) as player, StreamMic(microphone) as stream:
            middlewares = [GiveClientEventId(), config, talk, player, stream, watch]
            async with hook_middlewares(connection, middlewares) as session:
                await session.send(
                    {"type": "session.update", "session": {"type": "realtime", "audio": {"input": PCM, "output": PCM}}}
                )
                await watch.until("session.updated")
                yield SimpleNamespace(
                    session=session,
                    config=config,
                    talk=talk,
                    watch=watch,
                    say=lambda text: microphone.say(synthetic_speech(text)),
                    speaker=speaker,
                    until_heard=lambda ms: until_heard(speaker, clock, ms),
                )


async def until_heard(speaker, clock, ms):
    """Wait until so much of a sound has come out of the loudspeaker."""
    while np.count_nonzero(speaker.sounded()) < ms * RATE / 1000:
        await clock.sleep_until(clock.now() + 0.02)


async def test_spoken_turn(url):
    """A question is heard, answered, and the answer sounds; the transcript has both."""
    async with talking(url) as voice:
        voice.say("what is the weather")
        await voice.watch.until("response.done")
        await voice.until_heard(1_500)
        assert voice.talk.transcript() == "user: what is the weather\nassistant: It is sunny."
        assert peak_dbfs(voice.speaker.sounded()) > -20


async def test_interruption(url):
    """Speech silences the loudspeaker though the server never answers a truncate; then the next turn goes its way."""
    async with talking(url) as voice:
        voice.say("what is the weather")
        await voice.until_heard(400)
        voice.say("stop please")
        await voice.watch.until("input_audio_buffer.speech_started", 2)
        sounded = np.count_nonzero(voice.speaker.sounded())
        await voice.watch.until("response.done", 2)
        await voice.until_heard(sounded / RATE * 1_000 + 1_000)
        users, assistants = [], []
        for item in voice.talk.items:
            (users if item.role == "user" else assistants).append(item)
    assert voice.watch.statuses == ["cancelled", "completed"]
    assert voice.watch.seen["error"] == 0
    assert (len(users), len(assistants)) == (2, 2)
    assert len(assistants[0].heard_text) < len(assistants[0].text)
    assert sounded < 1.9 * RATE


async def test_update_and_typed_turn(url):
    """The configuration is known once it is acknowledged; a typed message is in the transcript."""
    async with talking(url) as voice:
        await voice.session.send(
            {"type": "session.update", "session": {"type": "realtime", "instructions": "Be brief."}}
        )
        await voice.watch.until("session.updated", 2)
        assert voice.config.session_config.instructions == "Be brief."
        assert voice.config.audio_format_output.rate == RATE
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
        await voice.session.send({"type": "conversation.item.create", "item": item})
        await voice.session.send({"type": "response.create"})
        await voice.watch.until("response.done")
        assert voice.talk.transcript().splitlines()[0] == "user: hello"


async def test_event_that_it_does_not_know(url, caplog):
    """A refusal is told once, with what was refused, and the session goes on."""
    caplog.set_level(logging.WARNING)
    async with talking(url) as voice:
        await voice.session.send({"type": "conversation.item.retrieve", "item_id": "item_1", "event_id": "mine"})
        await voice.watch.until("error")
        voice.say("what is the weather")
        await voice.watch.until("response.done")
    refusals = [told for told in caplog.messages if told.startswith("The server refused")]
    assert [told.split(":")[0] for told in refusals] == ["The server refused conversation.item.retrieve mine"]


async def test_open_formats_are_told(url, caplog):
    """A server that names no sound format is told of once, since it may mean another rate than the API's."""
    async with talking(url):
        pass
    assert len([told for told in caplog.messages if told.startswith("The server names no sound format")]) == 1
