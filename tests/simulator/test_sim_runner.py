"""How a session is run: one sender at a time, whatever wakes it."""

import asyncio
import json

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.simulator import Say, ScriptedEngine, Session, Settings
from openai_realtime_api_utils.simulator.runner import run

CREATE = '{"type": "response.create"}'
TEXT = '{"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text"]}}'
ITEM = json.dumps(
    {
        "type": "conversation.item.create",
        "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "x"}]},
    }
)


class Client:
    """Be the client's side of a session that is run on a manual clock, sending at its own speed."""

    def __init__(self, engine, **settings):
        self.clock = ManualClock()
        self.session = Session(now=0, created_at=0, settings=Settings(**settings))
        self.engine = engine
        self.inbox = asyncio.Queue()
        self.events = []
        self.may_send = asyncio.Event()
        self.may_send.set()

    async def __aenter__(self):
        self.task = asyncio.get_running_loop().create_task(
            run(
                self.session,
                self.engine,
                clock=self.clock,
                frames=self.frames(),
                send=self.receive,
                close=self.close,
            )
        )
        await self.settle()
        return self

    async def __aexit__(self, *_):
        self.may_send.set()
        self.inbox.put_nowait(None)
        await self.task

    async def frames(self):
        while (frame := await self.inbox.get()) is not None:
            yield frame

    async def receive(self, frame):
        for _ in range(3):
            await asyncio.sleep(0)
        await self.may_send.wait()
        self.events.append(json.loads(frame))

    async def close(self, code, reason):
        self.inbox.put_nowait(None)

    async def settle(self):
        for _ in range(300):
            await asyncio.sleep(0)

    async def send(self, *frames):
        for frame in frames:
            self.inbox.put_nowait(frame)
        await self.settle()

    def types(self):
        return [event["type"] for event in self.events]


class Waiting(ScriptedEngine):
    """Think the next thing when it is told to."""

    def __init__(self):
        super().__init__()
        self.go_on = asyncio.Event()

    async def think(self, turn):
        for text in ("First. ", "Second. "):
            yield Say(text)
            await self.go_on.wait()


async def test_response_cancelled_while_its_own_task_sends():
    """Nothing is lost when the task that is to be stopped is the one that is sending."""
    async with Client(Waiting(), first_audio_s=0.5, text_tokens_per_s=1000) as client:
        await client.send(TEXT, CREATE)
        client.may_send.clear()
        client.engine.go_on.set()  # it goes on before the alarm rings, and so sends what has become due
        client.clock.advance(1)
        await client.settle()
        await client.send('{"type": "response.cancel"}')
        client.may_send.set()
        await client.settle()
        assert client.types()[-4:] == [
            "conversation.item.done",
            "response.output_item.done",
            "response.done",
            "rate_limits.updated",
        ]


async def test_events_keep_their_order():
    """However slowly they are sent and whatever wakes the session, events leave in the order in which they came."""
    async with Client(ScriptedEngine({"": "Some words, one after the other. " * 5})) as client:
        for _ in range(30):
            client.inbox.put_nowait(ITEM)
            client.inbox.put_nowait(CREATE)
            client.clock.advance(0.05)
            await asyncio.sleep(0)
        for _ in range(100):
            client.clock.advance(1)
            await client.settle()
        added = [i for i, kind in enumerate(client.types()) if kind == "conversation.item.added"]
        ours = [i for i in added if client.events[i]["item"]["role"] == "user"]
        assert len(ours) == 30
        assert {client.types()[i + 1] for i in ours} == {"conversation.item.done"}
        assert [client.events[i]["item"]["id"] for i in added] == [
            entry.item["id"] for entry in client.session.conversation.entries
        ]


async def test_slow_client_holds_the_engine_up():
    """While nothing can be sent, the engine is asked for one more thought at most."""
    asked = []

    class Counting(ScriptedEngine):
        async def think(self, turn):
            while True:
                asked.append(len(asked))
                yield Say("A word or two. ")

    async with Client(Counting()) as client:
        await client.send(TEXT, CREATE)
        client.clock.advance(1)
        await client.settle()
        client.may_send.clear()
        before = len(asked)
        for _ in range(50):
            client.clock.advance(1)
            await client.settle()
        assert len(asked) <= before + 1


async def test_engine_is_closed_when_the_client_goes():
    """The end of the frames ends everything, in the middle of a response too."""
    closed = []

    class Closing(Waiting):
        async def close(self):
            closed.append(True)

    async with Client(Closing()) as client:
        await client.send(TEXT, CREATE)
    assert closed == [True]
