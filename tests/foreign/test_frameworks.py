"""Frameworks with a Realtime client of their own: pydantic-ai, LiveKit Agents and Pipecat."""

import pytest

from openai_realtime_api_utils.simulator import Call, ScriptedEngine, serve

STORY = "Once upon a time there was a lighthouse at the end of the world. " * 4
WEATHER = [[Call("get_weather", {"city": "Paris"})], "It is sunny in Paris."]
CLIENTS = {
    "pydantic_ai": ("pydantic_ai_session.py", "http", ""),
    "livekit": ("livekit_session.py", "http", ""),
    "pipecat": ("pipecat_pipeline.py", "ws", "/realtime"),
}

every = pytest.mark.parametrize("client", CLIENTS)


async def hold(foreign, client, engine, scenario, *arguments):
    """Have a client hold a conversation; return what it reports."""
    program, scheme, path = CLIENTS[client]
    async with serve(lambda: engine) as server:
        url = server.url.replace("ws", scheme, 1) + path
        return await foreign(client, program, scenario, url, *arguments)


@every
async def test_text_in_speech_out(foreign, client, wire):
    """A typed message is answered, and the answer's words are in the client's history."""
    report = await hold(foreign, client, ScriptedEngine(["Hello to you."]), "text")
    assert (report.get("errors", []), wire.errors()) == ([], [])
    assert [entry[1] for entry in report["history"]][-2:] == ["text", "Hello to you."]


@every
async def test_function_call(foreign, client, wire):
    """The function is called, its result reaches the model, and that answers."""
    engine = ScriptedEngine(WEATHER)
    report = await hold(foreign, client, engine, "tool")
    assert (report.get("errors", []), wire.errors()) == ([], [])
    assert "sunny in Paris" in engine.turns[1].items[-1]["output"]
    assert report["history"][-1][1] == "It is sunny in Paris."


async def test_livekit_interrupts(foreign, wire):
    """LiveKit cancels and deletes what nobody heard; its second cancel has nothing left to cancel."""
    report = await hold(foreign, "livekit", ScriptedEngine([STORY]), "interruption")
    assert report["history"][-1][2] is True
    assert {error["code"] for error in wire.errors()} <= {"response_cancel_not_active"}
    assert "cancelled" in [event["response"]["status"] for event in wire.sent if event["type"] == "response.done"]


async def test_pydantic_ai_interrupts(foreign, wire):
    """pydantic-ai truncates at the position that it is told."""
    report = await hold(foreign, "pydantic_ai", ScriptedEngine([STORY]), "interruption")
    assert wire.errors() == []
    truncated = [event["audio_end_ms"] for event in wire.sent if event["type"] == "conversation.item.truncated"]
    assert truncated == [200]
    assert report["seen"][-1] == "RealtimeTurnCompleteEvent"


async def test_pydantic_ai_is_spoken_to(foreign, wire, spoken):
    """What was said is transcribed into its history, and answered."""
    report = await hold(
        foreign, "pydantic_ai", ScriptedEngine(["Sunny."], hears=["what is the weather"]), "spoken", spoken
    )
    assert wire.errors() == []
    assert report["history"][-1] == ["SpeechPart", "Sunny."]
