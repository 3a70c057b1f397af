"""The Agents SDKs, for Python and for JavaScript, talk to the simulator over a real socket."""

import json

import numpy as np
import pytest

from listening import question
from openai_realtime_api_utils.simulator import Call, LocalEngine, ScriptedEngine, Settings, serve

AGENTS = [("openai_agents", "openai_agents.py"), ("openai_agents_js", "openai_agents.mjs")]
STORY = "Once upon a time there was a lighthouse at the end of the world. " * 4
WEATHER = [[Call("get_weather", {"city": "Paris"})], "It is sunny in Paris."]
SECOND_BYTES = 48_000

both = pytest.mark.parametrize("agents", AGENTS, ids=["python", "javascript"])


async def hold(foreign, agents, engine, scenario, *arguments, **settings):
    """Have the client hold a conversation; return what it reports."""
    async with serve(lambda: engine, settings=Settings(**settings)) as server:
        url = f"{server.url}/realtime?model=gpt-realtime-2.1"
        return await foreign(*agents, scenario, url, *arguments)


def said(report):
    """Return (role, words) of the messages of a client's history."""
    messages = [item for item in report["history"] if item["type"] == "message"]
    return [
        (item["role"], *(part.get("text") or part.get("transcript") for part in item["content"])) for item in messages
    ]


@both
async def test_text_in_speech_out(foreign, agents, wire):
    """A typed message is answered in speech, of which every byte arrives."""
    report = await hold(foreign, agents, ScriptedEngine(["Hello to you."]), "text")
    assert (report["errors"], wire.errors()) == ([], [])
    assert said(report) == [("user", "text"), ("assistant", "Hello to you.")]
    assert report["audio"] == len("Hello to you.") * 0.06 * SECOND_BYTES
    assert report["seen"][0] == "agent_start"


@both
async def test_function_call(foreign, agents, wire):
    """The function is called with the arguments, its result reaches the model, and that answers."""
    engine = ScriptedEngine(WEATHER)
    report = await hold(foreign, agents, engine, "tool")
    assert (report["errors"], wire.errors()) == ([], [])
    assert engine.turns[1].items[-1]["output"] == "sunny in Paris"
    assert said(report)[-1] == ("assistant", "It is sunny in Paris.")


@both
async def test_handoff(foreign, agents, wire):
    """The other agent's instructions are in force when the model is asked again."""
    engine = ScriptedEngine([[Call("transfer_to_refunds", {})], "You are with refunds."])
    report = await hold(foreign, agents, engine, "handoff")
    assert (report["errors"], wire.errors()) == ([], [])
    assert [turn.instructions for turn in engine.turns] == ["You help.", "You refund."]
    assert [tool["name"] for tool in engine.turns[0].tools] == ["get_weather", "transfer_to_refunds"]
    assert said(report)[-1] == ("assistant", "You are with refunds.")


@both
async def test_interruption(foreign, agents, wire, spoken):
    """Speech cuts the answer off: the client stops, truncates, and what it truncates is what the service keeps."""
    engine = ScriptedEngine([STORY, "Yes?"], hears=["stop please"])
    report = await hold(foreign, agents, engine, "interruption", spoken)
    assert (report["errors"], wire.errors()) == ([], [])
    assert report["seen"].count("audio_interrupted") == 1
    (asked,) = [event for event in wire.received if event["type"] == "conversation.item.truncate"]
    (truncated,) = [event for event in wire.sent if event["type"] == "conversation.item.truncated"]
    assert (truncated["item_id"], truncated["audio_end_ms"]) == (asked["item_id"], asked["audio_end_ms"])
    (cut_off,) = [
        event["response"]
        for event in wire.sent
        if event["type"] == "response.done" and event["response"]["status"] == "cancelled"
    ]
    assert cut_off["status_details"]["reason"] == "turn_detected"
    assert report["audio"] < len(STORY) * 0.06 * SECOND_BYTES
    assert said(report)[-1] == ("assistant", "Yes?")


@both
async def test_spoken_question(foreign, agents, wire, spoken):
    """What was said is transcribed into the client's history, and answered."""
    engine = ScriptedEngine(["Sunny."], hears=["what is the weather"])
    report = await hold(foreign, agents, engine, "spoken", spoken)
    assert (report["errors"], wire.errors()) == ([], [])
    assert said(report) == [("user", "what is the weather"), ("assistant", "Sunny.")]


@both
async def test_a_spoken_question_makes_the_function_run(foreign, agents, wire, tmp_path):
    """The shipped question, as real words to a real listener; what the function returned is in the spoken answer."""
    path = tmp_path / "question.pcm"
    path.write_bytes(np.concatenate((question("weather"), np.zeros(24_000, np.int16))).tobytes())
    report = await hold(foreign, agents, LocalEngine(), "spoken_tool", path)
    assert (report["errors"], wire.errors()) == ([], [])
    (call,) = [item for item in report["history"] if item["type"] == "function_call"]
    assert (call["name"], json.loads(call["arguments"]), call["output"]) == (
        "get_weather",
        {"city": "Paris"},
        "sunny in Paris",
    )
    assert said(report)[-1] == ("assistant", "Get weather says: sunny in Paris.")
    assert report["audio"] > SECOND_BYTES
