"""Tools in the middle of speech: cancelled by the user, waiting until words were heard, never into the user's words."""

from contextlib import asynccontextmanager

import numpy as np

from openai_realtime_api_utils import (
    CallTools,
    GiveClientEventId,
    ManualClock,
    MemoryMicrophone,
    MemorySpeaker,
    StreamMic,
    TrackConfig,
    TrackConversation,
    hook_middlewares,
    interruptable_audio_player,
    tool,
)
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator import Call, Say, ScriptedEngine, Settings, connect
from openai_realtime_api_utils.simulator.mcp_server import McpFailure, McpServer, McpTool
from simulated import LoudVad

STORY = "Once upon a time there was a lighthouse at the end of the world. " * 2


class Room:
    """Be a spoken session with tools."""

    def __init__(self, replies, tools, *, settings=None, **options):
        self.clock = ManualClock()
        self.mic, self.speaker = MemoryMicrophone(self.clock), MemorySpeaker(self.clock)
        self.config, self.conversation = TrackConfig(), TrackConversation()
        self.engine = ScriptedEngine(replies=replies, hears=["one", "two"], clock=self.clock)
        self.settings = settings
        self.records, self.creates, self.errors = [], [], []
        self.make = lambda player: CallTools(
            tools(self.clock),
            audio_player=player,
            track_conversation=self.conversation,
            on_call=[self.records.append],
            clock=self.clock,
            **options,
        )

    @asynccontextmanager
    async def hooked(self):
        room = self

        class Watch:
            def client_event_handler(self, event, metadata, connection):
                if event["type"] == "response.create":
                    room.creates.append(room.clock.now())
                return event, metadata

            def server_event_handler(self, event, metadata, connection):
                if event.type == "error":
                    room.errors.append(event.error.code)
                return event, metadata

        with interruptable_audio_player(self.config, self.conversation, self.speaker, clock=self.clock) as iap:
            self.player, tools = iap.audio_player, self.make(iap.audio_player)
            async with connect(self.engine, clock=self.clock, vad=LoudVad, settings=self.settings) as connection:
                mic = StreamMic(self.mic, clock=self.clock)
                middlewares = [GiveClientEventId(), self.config, self.conversation, tools, iap, mic, Watch()]
                async with hook_middlewares(connection, middlewares, clock=self.clock) as session:
                    yield session

    def say(self, seconds=1.0):
        self.mic.say(np.full(round(24_000 * seconds), 8000, np.int16))

    def run(self, script):
        async def main():
            async with self.hooked() as session:
                await script(session)

        fast_forward.run(main(), self.clock)

    async def wait(self, seconds):
        await self.clock.sleep_until(self.clock.now() + seconds)

    @property
    def ended(self):
        return [(record.name, record.status) for record in self.records if record.status != "running"]

    def outputs(self):
        return [item.output for item in self.conversation.items if item.type == "function_call_output"]


def test_barge_in_cancels_the_calls_that_want_it():
    """They are answered as cancelled; the others go on. The user's own turn is what the model answers next."""

    def tools(clock):
        async def work(seconds: float) -> str:
            await clock.sleep_until(clock.now() + seconds)
            return "done"

        return [tool(work, name="search", cancel_on_barge_in=True), tool(work, name="book")]

    room = Room([[Call("search", {"seconds": 20}), Call("book", {"seconds": 20})], "Yes?", "Booked."], tools)

    async def script(session):
        await session.send({"type": "response.create"})
        await room.wait(3)
        room.say()
        await room.wait(40)

    room.run(script)
    assert room.ended == [("search", "cancelled"), ("book", "answered")]
    assert room.outputs() == ["The call was cancelled, for the user began to speak.", "done"]
    said = [item.text for item in room.conversation.items if item.type == "message" and item.role == "assistant"]
    assert (said, room.errors) == (["Yes?", "Booked."], [])


def test_a_call_waits_until_the_words_before_it_were_heard():
    """Not only until they were received: speech comes faster than it sounds."""
    begun = []

    def tools(clock):
        @tool(after_speech=True)
        def hang_up() -> str:
            begun.append((clock.now(), room.player.is_speaking))
            return "ok"

        return [hang_up]

    room = Room([[Say(STORY, "commentary"), Call("hang_up")], "Bye."], tools)

    async def script(session):
        await session.send({"type": "response.create"})
        await room.wait(40)

    room.run(script)
    spoken_s = room.conversation.items[0].audio_ms / 1000
    ((at, was_speaking),) = begun
    assert spoken_s < at < spoken_s + 1.5
    assert not was_speaking
    assert room.ended == [("hang_up", "answered")]


def test_a_call_is_not_made_if_the_words_before_it_were_cut_off():
    """The user did not hear what it was about; the model is told so."""

    def tools(clock):
        @tool(after_speech=True)
        def hang_up() -> str:
            raise AssertionError

        return [hang_up]

    room = Room([[Say(STORY, "commentary"), Call("hang_up")], "All right.", "Then not."], tools)

    async def script(session):
        await session.send({"type": "response.create"})
        await room.wait(4)
        room.say()
        await room.wait(30)

    room.run(script)
    assert room.ended == [("hang_up", "refused")]
    assert "interrupted what was said before" in room.outputs()[0]


def test_a_background_result_waits_for_silence():
    """The model is not asked to speak of it while anybody speaks."""
    found = []

    def tools(clock):
        @tool(background=True)
        async def research() -> str:
            await clock.sleep_until(clock.now() + 1)
            found.append(clock.now())
            return "owls"

        return [research]

    room = Room([Call("research"), STORY, "Owls, then."], tools)

    async def script(session):
        await session.send({"type": "response.create"})
        await room.wait(60)

    room.run(script)
    assert room.conversation.items[-1].text == "Owls, then."
    story = next(item for item in room.conversation.items if item.text == STORY.strip() or item.text == STORY)
    assert room.creates[-1] - found[0] > story.audio_ms / 1000 - 1.5
    assert room.errors == []


def test_the_model_is_not_asked_into_the_users_words():
    """A tool that ends while the user speaks: the server's own response sees its output, and is enough."""

    def tools(clock):
        async def work() -> str:
            await clock.sleep_until(clock.now() + 1.6)
            return "done"

        return [work]

    room = Room([Call("work"), "Both, then."], tools)

    async def script(session):
        await session.send({"type": "response.create"})
        await room.wait(1)
        room.say(2)
        await room.wait(20)

    room.run(script)
    assert (len(room.creates), room.errors) == (1, [])
    assert room.conversation.items[-1].text == "Both, then."
    assert room.outputs() == ["done"]


MCP = {"type": "mcp", "server_label": "lib", "server_url": "https://lib.example/mcp"}


def mcp_room(answer, *, approval, approve=None, takes_s=0.0):
    server = McpServer(tools=[McpTool("find", answer=answer, takes_s=takes_s)])
    settings = Settings(mcp_servers={"https://lib.example/mcp": server})
    replies = [Call("find"), "That is what there is."]
    room = Room(replies, lambda clock: [], settings=settings, approve=approve)

    async def script(session):
        session_tools = {
            "type": "realtime",
            "output_modalities": ["text"],
            "tools": [{**MCP, "require_approval": approval}],
        }
        await session.send({"type": "session.update", "session": session_tools})
        await room.wait(1)
        await session.send({"type": "response.create"})
        await room.wait(20)

    room.run(script)
    return room


def test_remote_mcp_calls_are_followed_up():
    """The service calls, and never goes on by itself: one response is asked for when it has, be it late or in vain."""
    for answer, takes_s in (("a book", 0.0), ("a book", 3.0), (McpFailure("closed"), 0.0)):
        room = mcp_room(answer, approval="never", takes_s=takes_s)
        assert (room.conversation.items[-1].text, len(room.creates)) == ("That is what there is.", 2)


def test_remote_mcp_calls_are_approved_through_the_same_door():
    """And gone on from when they have ended, or were refused."""
    for decision in (True, False):
        asked = []

        async def approve(request, decision=decision, asked=asked):
            asked.append((request.server_label, request.name))
            return decision

        room = mcp_room("a book", approval="always", approve=approve)
        kinds = [item.type for item in room.conversation.items]
        assert asked == [("lib", "find")]
        assert ("mcp_call" in kinds) == decision
        assert (room.conversation.items[-1].text, len(room.creates)) == ("That is what there is.", 2)


def test_a_remote_request_that_nobody_here_decides_on_is_left():
    """Somebody else may."""
    room = mcp_room("a book", approval="always")
    assert [item.type for item in room.conversation.items][-1] == "mcp_approval_request"
    assert len(room.creates) == 1
