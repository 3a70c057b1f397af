"""The fixed program: the one of ``examples/full.py``, over a real socket, on devices in memory."""

import logging

import numpy as np
from openai import AsyncOpenAI

from examples import full
from openai_realtime_api_utils import MemoryMicrophone, MemorySpeaker, SystemClock
from openai_realtime_api_utils.audio.level import peak_dbfs
from openai_realtime_api_utils.simulator import ScriptedEngine, serve, synthetic_speech


async def held(engine, capsys):
    """Hold the program's conversation with a scripted engine; return (conversation, what sounded, what was printed)."""
    clock = SystemClock()
    speaker, microphone = MemorySpeaker(clock), MemoryMicrophone(clock)
    microphone.say(np.zeros(4_800, np.int16))
    microphone.say(synthetic_speech("what is the weather"))
    async with (
        serve(lambda: engine) as server,
        AsyncOpenAI(api_key="any", websocket_base_url=server.url) as client,
        client.realtime.connect(model="gpt-realtime-2.1") as connection,
    ):
        conversation = await full.converse(connection, microphone, speaker)
    return conversation, speaker.sounded(), capsys.readouterr().err


async def test_the_fixed_program_holds_a_conversation(capsys, caplog):
    """Every handler of the long form does its part: the question is heard, the answer sounds, events are printed."""
    caplog.set_level(logging.WARNING)
    engine = ScriptedEngine(replies=["It is sunny."], hears=["what is the weather"])
    conversation, sounded, printed = await held(engine, capsys)
    assert conversation.transcript() == "user: what is the weather\nassistant: It is sunny."
    assert [item.status for item in conversation.items] == ["completed", "completed"]
    assert len(sounded) > 12_000
    assert peak_dbfs(sounded) > -30
    assert "→ session.update" in printed
    assert "event_id=evt_" in printed
    assert "← response.done" in printed
    assert "is completed" in printed
    assert caplog.records == []


async def test_the_users_own_handler_runs_last(capsys):
    """``f`` sees the event after the library's handlers have."""
    engine = ScriptedEngine(replies=["Yes."], hears=["hi"])
    _, _, printed = await held(engine, capsys)
    lines = printed.splitlines()
    done = next(n for n, line in enumerate(lines) if line.startswith("← response.done"))
    assert lines[done + 1].startswith("the response resp_")
