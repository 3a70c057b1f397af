"""Hold resumed conversations over an exchange of simulated sessions, on a clock that jumps."""

from contextlib import asynccontextmanager

from exchange import Events, Exchange, said
from fakes import Service
from openai_realtime_api_utils import (
    ManualClock,
    MemoryMicrophone,
    MemorySpeaker,
    TrackConfig,
    TrackConversation,
    hook_middlewares,
)
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.middlewares import GiveClientEventId, StreamMic, interruptable_audio_player
from openai_realtime_api_utils.resume import resume
from openai_realtime_api_utils.simulator import ScriptedEngine

TEXT = {"type": "realtime", "output_modalities": ["text"], "instructions": "Be brief.", "tools": []}

STORY = "Once upon a time there was a very long story that went on and on until somebody had enough of it. "
HEARS = {"type": "realtime", "audio": {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}}


class Talk:
    """Be a hooked, resumed conversation."""

    def __init__(self, exchange, clock):
        self.exchange, self.clock = exchange, clock
        self.config, self.conversation, self.events = TrackConfig(), TrackConversation(), Events()
        self.changes = []

    @asynccontextmanager
    async def held(self, *middlewares, **options):
        options = {"clock": self.clock, "tell": self.changes.append, "draw": lambda: 0.5, **options}
        connect = options.pop("connect", None) or self.exchange.connect
        async with resume(connect, conversation=self.conversation, config=self.config, **options) as connection:
            hooked = [GiveClientEventId(), self.config, self.conversation, *middlewares, self.events]
            async with hook_middlewares(connection, hooked, clock=self.clock) as session:
                self.send, self.session, self.connection = session.send, session, connection
                yield session

    async def turn(self, text, item_id=None):
        """Say something by text, and wait for the answer."""
        done = self.events.count("response.done")
        await self.send(said(item_id, text))
        await self.send({"type": "response.create"})
        return await self.events.until("response.done", done + 1)

    async def wait(self, seconds):
        await self.clock.sleep_until(self.clock.now() + seconds)


def run(program, replies=(), hears=(), **options):
    """Run a program (talk, engine, exchange) on a clock that jumps; return what it returns."""
    clock = ManualClock()
    engine = ScriptedEngine(replies=replies, hears=hears, clock=clock)
    exchange = Exchange(engine, clock, **options)
    talk = Talk(exchange, clock)
    return fast_forward.run(program(talk, engine, exchange), clock)


class User:
    """Be a user with a microphone and a loudspeaker in memory."""

    def __init__(self, clock):
        self.microphone, self.speaker = MemoryMicrophone(clock), MemorySpeaker(clock)
        self.mic = StreamMic(self.microphone, clock=clock)


def spoken(program, replies=(), hears=(), **options):
    """Run a spoken program (talk, engine, exchange, user)."""
    clock = ManualClock()
    engine = ScriptedEngine(replies=replies, hears=hears, clock=clock)
    exchange = Exchange(engine, clock, **options)
    talk = Talk(exchange, clock)
    user = User(clock)

    async def main():
        with interruptable_audio_player(talk.config, talk.conversation, user.speaker, clock=clock) as iap:
            user.player, user.hooked = iap.audio_player, (iap, user.mic)
            return await program(talk, engine, exchange, user)

    return fast_forward.run(main(), clock)


def by_hand(program, *first):
    """Run a program (talk, service) against a service that answers by hand, and begins with these frames."""
    clock = ManualClock()
    service = Service(*first)
    talk = Talk(service, clock)
    return fast_forward.run(program(talk, service), clock)


def created(kind="realtime", session_id="sess_1"):
    """Return what a service begins with."""
    return {"type": "session.created", "session": {"type": kind, "id": session_id}}


async def settled(talk):
    """Let all that was answered be handled."""
    await talk.wait(0.01)
