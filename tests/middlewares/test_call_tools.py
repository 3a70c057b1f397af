"""Functions that a model calls: run beside the session, answered, gone on from, once."""

import asyncio
import threading
import time
from contextlib import asynccontextmanager

import pytest

from openai_realtime_api_utils import (
    ArbitrateResponses,
    Ask,
    CallTools,
    Decision,
    GiveClientEventId,
    ManualClock,
    SystemClock,
    ToolContext,
    ToolError,
    TrackConversation,
    hook_middlewares,
    tool,
    user_text,
)
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator import Call, ScriptedEngine, connect


class Sent:
    """Keep what is sent and received."""

    def __init__(self):
        self.client, self.server = [], []

    def client_event_handler(self, event, metadata, connection):
        self.client.append(event)
        return event, metadata

    def server_event_handler(self, event, metadata, connection):
        self.server.append(event)
        return event, metadata

    def of(self, type_):
        return [event for event in self.client if event["type"] == type_]

    def outputs(self):
        items = [event["item"] for event in self.of("conversation.item.create")]
        return [item["output"] for item in items if item["type"] == "function_call_output"]

    def types(self):
        """Return what was sent and received, in the order of the two together, for what matters here."""
        return [event["type"] for event in self.client]


class Scene:
    """Be one session with tools, on a clock that jumps."""

    def __init__(self, replies, tools, *, arbiter=False, **options):
        self.clock = options.pop("clock", None) or ManualClock()
        self.engine = ScriptedEngine(replies=replies, clock=self.clock)
        self.conversation = TrackConversation()
        self.records, self.sent = [], Sent()
        self.tools = CallTools(
            tools(self.clock) if callable(tools) else tools,
            track_conversation=self.conversation,
            on_call=[self.records.append],
            clock=self.clock,
            **options,
        )
        self.ask = Ask(call_tools=self.tools, clock=self.clock)
        arbiters = [ArbitrateResponses(clock=self.clock)] if arbiter else []
        self.middlewares = [GiveClientEventId(), *arbiters, self.conversation, self.tools, self.ask, self.sent]

    @asynccontextmanager
    async def hooked(self):
        async with connect(self.engine, clock=self.clock) as connection:
            async with hook_middlewares(connection, self.middlewares, clock=self.clock) as session:
                yield session

    async def wait(self, seconds):
        await self.clock.sleep_until(self.clock.now() + seconds)

    @property
    def ended(self):
        return [(record.name, record.status) for record in self.records if record.status != "running"]


def ask_once(scene, text="Go", wait=0.0, **response):
    """Ask once and return the final answer's text."""

    async def main():
        async with scene.hooked():
            answer = await scene.ask.text(text, **response)
            await scene.wait(wait)
            return answer.text

    return fast_forward.run(main(), scene.clock)


def get_weather(city: str) -> dict:
    """Tell the weather."""
    return {"city": city, "sky": "rain"}


def test_a_call_is_answered_and_gone_on_from():
    """The tools are offered, the function runs, its output is sent, and one response follows."""
    scene = Scene([Call("get_weather", {"city": "Paris"}), "It rains."], [get_weather])
    assert ask_once(scene) == "It rains."
    assert scene.engine.turns[0].tools == scene.tools.tools
    assert scene.sent.outputs() == ['{"city":"Paris","sky":"rain"}']
    assert len(scene.sent.of("response.create")) == 2
    assert [record.status for record in scene.records] == ["running", "answered"]


@pytest.mark.parametrize("arbiter", [False, True], ids=["alone", "with an arbiter"])
def test_calls_of_one_response_run_in_parallel_and_one_response_follows(arbiter):
    """Outputs are sent as they are ready; the response waits for the slowest, and for response.done."""

    def tools(clock):
        async def wait_for(seconds: float) -> float:
            await clock.sleep_until(clock.now() + seconds)
            return seconds

        return [wait_for]

    calls = [Call("wait_for", {"seconds": s}) for s in (3.0, 1.0, 2.0)]
    scene = Scene([calls, "Done."], tools, arbiter=arbiter)
    assert ask_once(scene, wait=5) == "Done."
    assert scene.sent.outputs() == ["1.0", "2.0", "3.0"]
    assert len(scene.sent.of("response.create")) == 2
    assert 3 < scene.clock.now() - 5 < 6


def test_the_response_is_asked_for_only_when_the_one_before_is_done():
    """Even where all calls are answered long before."""
    slow = [Call("get_weather", {"city": "A"}), "and a long story that goes on for a while " * 5]
    scene = Scene([slow, "Then."], [get_weather])
    ask_once(scene)
    received = [event.type for event in scene.sent.server]
    done = received.index("response.done")
    created = [i for i, type_ in enumerate(received) if type_ == "response.created"]
    assert created[0] < done < created[1]
    assert "error" not in received


def test_functions_run_in_threads_of_their_own():
    """Daemons, so that a hung one does not hold up the program's end; the event loop's thread is not among them."""
    seen = []

    def look() -> str:
        seen.append((threading.current_thread().daemon, threading.current_thread() is threading.main_thread()))
        return "ok"

    ask_once(Scene([Call("look"), "Done."], [look]))
    assert seen == [(True, False)]


def test_no_more_run_at_a_time_than_are_allowed():
    """The others wait for their turn."""
    running, most = [], []

    def tools(clock):
        async def work() -> None:
            running.append(1)
            most.append(len(running))
            await clock.sleep_until(clock.now() + 1)
            running.pop()

        return [work]

    scene = Scene([[Call("work")] * 5, "Done."], tools, max_parallel=2)
    assert (ask_once(scene), max(most), len(most)) == ("Done.", 2, 5)


@pytest.mark.parametrize(
    ("name", "arguments", "ending", "told"),
    [
        ("get_weather", {"town": "Paris"}, "failed", "city: Field required"),
        ("fail", {}, "failed", "ValueError: no such city"),
        ("refuse", {}, "failed", "Ask for another."),
        ("leave", {}, "failed", "tried to end the program"),
        ("leave_async", {}, "failed", "tried to end the program"),
        ("unwritable", {}, "failed", "a object"),
        ("unknown", {}, "failed", "There is no tool 'unknown'. There are: get_weather, fail"),
        ("for_ever", {}, "timed_out", "did not answer within 30 s"),
        ("stubborn", {}, "timed_out", "did not answer within 2 s"),
        ("much", {}, "answered", "5,000,000 characters"),
    ],
)
def test_whatever_goes_wrong_becomes_an_output(name, arguments, ending, told, caplog):
    """One sentence to the log, an output that the model can act on, and the conversation goes on."""

    def tools(clock):
        def fail():
            raise ValueError("no such city")

        def refuse():
            raise ToolError("Ask for another.")

        def leave():
            raise SystemExit

        async def leave_async():
            raise SystemExit

        def unwritable():
            return object()

        async def for_ever():
            await asyncio.Event().wait()

        @tool(timeout_s=2)
        async def stubborn():
            until = clock.now() + 10
            while clock.now() < until:
                try:
                    await clock.sleep_until(until)
                except asyncio.CancelledError:
                    pass

        def much():
            return "x" * 5_000_000

        return [get_weather, fail, refuse, leave, leave_async, unwritable, for_ever, stubborn, much]

    scene = Scene([Call(name, arguments), "I see."], tools)
    assert ask_once(scene) == "I see."
    assert scene.ended == [(name, ending)]
    assert told in scene.sent.outputs()[0]
    logged = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(logged) == (0 if ending == "answered" else 1)
    assert all("Traceback" not in message for message in logged)


async def test_a_function_that_never_returns_is_given_up(caplog):
    """Its thread is left to itself, and the session goes on."""
    release = threading.Event()

    def hang():
        release.wait()

    scene = Scene([Call("hang"), "Never mind."], [tool(hang, timeout_s=0.05)], clock=SystemClock())
    async with scene.hooked():
        answer = await scene.ask.text("Go")
        assert scene.tools._runner._threads.abandoned == 1
        release.set()
        while scene.tools._runner._threads.abandoned:
            await asyncio.sleep(0.001)
    assert (answer.text, scene.ended) == ("Never mind.", [("hang", "timed_out")])


async def test_too_many_hung_threads_are_not_added_to(monkeypatch):
    """Then functions are refused, and the log says which hang."""
    from openai_realtime_api_utils.tools import threads

    monkeypatch.setattr(threads, "MOST_ABANDONED", 1)
    release, pool = threading.Event(), threads.DaemonThreads()
    hanging = asyncio.get_running_loop().create_task(pool.run(release.wait, name="hang"))
    await asyncio.sleep(0)
    hanging.cancel()
    await asyncio.gather(hanging, return_exceptions=True)
    with pytest.raises(ToolError, match=r"hang \(1\)"):
        await pool.run(lambda: 1, name="next")
    release.set()
    while pool.abandoned:
        await asyncio.sleep(0.001)
    assert await pool.run(lambda: 1, name="next") == 1


def test_a_context_tells_the_call_and_can_send():
    """From a coroutine with ``send``, from a thread with ``send_soon``; the replica is there."""
    seen = []

    def from_a_thread(x: int, context: ToolContext) -> str:
        context.send_soon(user_text("from the thread"))
        return context.name

    async def from_the_loop(context: ToolContext) -> str:
        seen.append((context.call_id, context.arguments, context.conversation.items[0].text))
        await context.send(user_text("from the loop"))
        return "ok"

    scene = Scene([[Call("from_a_thread", {"x": 1}), Call("from_the_loop")], "Done."], [from_a_thread, from_the_loop])
    ask_once(scene)
    texts = {item.text for item in scene.conversation.items if item.role == "user"}
    assert texts == {"Go", "from the thread", "from the loop"}
    assert seen[0][1:] == ("{}", "Go")
    assert seen[0][0].startswith("call_")


def test_a_background_tool_reports_later():
    """The model is answered at once, and told the result when it is there and nobody speaks."""

    def tools(clock):
        @tool(background=True)
        async def research(topic: str) -> str:
            await clock.sleep_until(clock.now() + 20)
            return f"all about {topic}"

        return [research]

    scene = Scene([Call("research", {"topic": "owls"}), "I am on it.", "Owls, then."], tools)
    assert ask_once(scene, wait=30) == "I am on it."
    assert scene.sent.outputs()[0].startswith("Started.")
    report = next(item for item in scene.conversation.items if item.role == "system")
    assert report.text.endswith("all about owls")
    assert scene.conversation.items[-1].text == "Owls, then."
    assert scene.ended == [("research", "answered")]


@pytest.mark.parametrize(
    ("decision", "status", "output"),
    [
        (True, "answered", '{"city":"Rome","sky":"rain"}'),
        (False, "refused", "The user did not approve the call."),
        (Decision(False, "too dear"), "refused", "The user did not approve the call: too dear"),
        (RuntimeError("gone"), "refused", "The call was not approved: the user could not be asked."),
    ],
)
def test_calls_that_need_approval_wait_for_it(decision, status, output):
    """Whoever is asked sees name and arguments; a refusal is told to the model."""
    asked = []

    async def approve(request):
        asked.append((request.name, request.arguments))
        if isinstance(decision, Exception):
            raise decision
        return decision

    guarded = tool(get_weather, needs_approval=True)
    scene = Scene([Call("get_weather", {"city": "Rome"}), "So be it."], [guarded], approve=approve)
    assert ask_once(scene) == "So be it."
    assert asked == [("get_weather", '{"city":"Rome"}')]
    assert (scene.ended, scene.sent.outputs()) == ([("get_weather", status)], [output])


def test_approval_that_nobody_can_give_is_an_error_at_once():
    """Where the tools are made."""
    with pytest.raises(ToolError, match="needs approval"):
        CallTools([tool(get_weather, needs_approval=True)])


@pytest.mark.parametrize(("options", "why"), [({"max_parallel": 0}, "at least 1"), ({"timeout_s": 0}, "above 0")])
def test_impossible_limits_are_refused(options, why):
    """In a sentence with the value."""
    with pytest.raises(ToolError, match=why):
        CallTools([], **options)


def test_out_of_band_calls_are_answered_out_of_band():
    """Another response follows with the first one's input, its call and the output; the conversation sees nothing."""
    replies = [Call("get_weather", {"city": "Oslo"}), "Rain."]
    scene = Scene(replies, [get_weather])

    async def main():
        async with scene.hooked():
            item = user_text("Oslo?")["item"]
            return await scene.ask.response(
                conversation="none", input=[item], output_modalities=["text"], metadata={"topic": "x"}
            )

    answer = fast_forward.run(main(), scene.clock)
    assert (answer.text, scene.conversation.items) == ("Rain.", ())
    assert scene.sent.of("conversation.item.create") == []
    kinds = [item["type"] for item in scene.engine.turns[1].items]
    assert kinds == ["message", "function_call", "function_call_output"]
    bodies = [event["response"] for event in scene.sent.of("response.create")]
    assert [(body["conversation"], body["metadata"]["topic"]) for body in bodies] == [("none", "x")] * 2


def test_out_of_band_calls_know_the_conversation_where_it_was_the_input():
    """A response without an input of its own is continued with references to the items."""
    scene = Scene(["Hello.", Call("get_weather", {"city": "Oslo"}), "Rain."], [get_weather])

    async def main():
        async with scene.hooked():
            await scene.ask.text("Hi")
            return await scene.ask.response(conversation="none", output_modalities=["text"])

    assert fast_forward.run(main(), scene.clock).text == "Rain."
    assert [i.get("type") for i in scene.engine.turns[2].items][-2:] == ["function_call", "function_call_output"]
    assert len(scene.engine.turns[2].items) == 4


def test_a_demanded_call_is_not_demanded_again():
    """A model that must call would call for ever; what else was asked stays."""
    scene = Scene([Call("get_weather", {"city": "A"}), "Done."], [get_weather])
    ask_once(scene, tool_choice="required", instructions="Be brief.")
    first, second = (event["response"] for event in scene.sent.of("response.create"))
    assert (first["tool_choice"], second["tool_choice"]) == ("required", "auto")
    assert second["instructions"] == "Be brief."
    assert second["output_modalities"] == ["text"]


def test_a_session_that_demands_calls_is_not_obeyed_for_ever():
    """The session's own tool_choice counts, too."""
    scene = Scene([Call("get_weather", {"city": "A"}), "Done."], [get_weather])

    async def main():
        async with scene.hooked() as session:
            update = {"type": "realtime", "tool_choice": "required"}
            await session.send({"type": "session.update", "session": update})
            await scene.ask.text("Go")

    fast_forward.run(main(), scene.clock)
    assert scene.sent.of("response.create")[1]["response"]["tool_choice"] == "auto"


def test_tools_are_put_into_every_update_beside_the_users_own():
    """Those of the user's stay, and calls of them are left to the user."""
    mine = {"type": "function", "name": "mine", "description": "", "parameters": {"type": "object"}}
    scene = Scene([Call("mine"), "x"], [get_weather])

    async def main():
        async with scene.hooked() as session:
            for fields in ({"tools": [mine]}, {"instructions": "x"}):
                await session.send({"type": "session.update", "session": {"type": "realtime", **fields}})
            await session.send({"type": "response.create", "response": {"output_modalities": ["text"]}})
            await scene.wait(5)

    fast_forward.run(main(), scene.clock)
    offered = [[each["name"] for each in event["session"]["tools"]] for event in scene.sent.of("session.update")]
    assert offered == [["mine", "get_weather"]] * 3
    assert (scene.records, scene.sent.outputs()) == ([], [])


def test_a_transcription_session_is_given_no_tools():
    """Its updates pass as they are."""
    tools = CallTools([get_weather])
    event = {"type": "session.update", "session": {"type": "transcription"}}
    handled = asyncio.run(tools.client_event_handler(event, {}, None))
    assert handled == (event, {})


def test_a_call_deleted_meanwhile_is_let_go():
    """The refusal of its output is not logged as a problem, and the session goes on."""

    def tools(clock):
        async def slow() -> str:
            await clock.sleep_until(clock.now() + 3)
            return "late"

        return [slow]

    scene = Scene([Call("slow"), "Never mind."], tools)

    async def main():
        async with scene.hooked() as session:
            await session.send({"type": "response.create", "response": {"output_modalities": ["text"]}})
            await scene.wait(2)
            call = next(item for item in scene.conversation.items if item.type == "function_call")
            await session.send({"type": "conversation.item.delete", "item_id": call.id})
            await scene.wait(5)

    fast_forward.run(main(), scene.clock)
    errors = [event.error.code for event in scene.sent.server if event.type == "error"]
    assert errors == ["invalid_tool_call_id"]
    assert scene.conversation.items[-1].text == "Never mind."


def test_synchronous_tools_hold_up_no_session():
    """Twenty that sleep run at once, and events go on being handled meanwhile."""

    def nap() -> str:
        time.sleep(0.05)
        return "rested"

    scene = Scene([[Call("nap")] * 20, "Good morning."], [nap], max_parallel=20)
    assert ask_once(scene) == "Good morning."
    assert scene.sent.outputs() == ["rested"] * 20
