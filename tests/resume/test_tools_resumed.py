"""A function is run once, wherever the connection breaks, and its output reaches the model."""

import pytest

from exchange import Exchange, texts
from openai_realtime_api_utils import ManualClock
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.middlewares import CallTools
from openai_realtime_api_utils.simulator import Call, ScriptedEngine
from talking import TEXT, Talk

EVENTS = [
    "response.created",
    "response.output_item.added",
    "conversation.item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "conversation.item.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]


def held(cut_at, *, takes_s=0.0, sessions=1):
    """Ask for the weather, with the connection cut before an event of the call; return what came of it."""
    clock = ManualClock()
    runs, cuts, started = [], [], []

    def reply(turn):
        outputs = [item["output"] for item in turn.items if item["type"] == "function_call_output"]
        return f"It is {outputs[-1]}." if outputs else Call("weather", {"city": "Paris"})

    def cut(event):
        if event["type"] == "response.created":
            started.append(1)
        if started and event["type"] == cut_at and len(cuts) < sessions:
            cuts.append(1)
            return 1006
        return None

    async def weather(city: str) -> str:
        """Tell the weather."""
        runs.append(city)
        await clock.sleep_until(clock.now() + takes_s)
        return "sunny"

    async def program():
        exchange = Exchange(ScriptedEngine(replies={"": reply}, clock=clock), clock, cut=cut)
        talk = Talk(exchange, clock)
        tools = CallTools([weather], track_conversation=talk.conversation, clock=clock)
        async with talk.held(tools):
            await talk.send({"type": "session.update", "session": {k: v for k, v in TEXT.items() if k != "tools"}})
            await talk.turn("How is the weather?")
            await talk.wait(60)
            return talk, exchange, runs

    return fast_forward.run(program(), clock)


@pytest.mark.parametrize("event_type", EVENTS)
@pytest.mark.parametrize("takes_s", [0.0, 5.0])
def test_a_tool_runs_once_wherever_the_connection_breaks(event_type, takes_s):
    """The answer comes, built on one run's output; the next session holds the call and its output."""
    talk, exchange, runs = held(event_type, takes_s=takes_s)
    items = [(item.type, item.role) for item in talk.conversation.items]
    assert ["Paris"] == runs
    assert "It is sunny." == talk.conversation.items[-1].text
    assert [("message", "user"), ("function_call", None), ("function_call_output", None)] == items[:3]
    assert ["How is the weather?"] == texts(exchange.engine.turns[-1].items)
    assert 4 == len(items)
    assert 2 == len(exchange.connections)
    assert [] == [e.error.message for e in talk.events.of("error")]
