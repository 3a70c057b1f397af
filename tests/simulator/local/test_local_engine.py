"""Put question and answer through the whole engine: sound in, sound out."""

import asyncio
import importlib.util
import os
import shutil
import sys
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from conversations import spoken, turn, user

from listening import ANSWERS, question, which_sentence
from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import SimulatorError
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator.engine import RATE, Fail, Say
from openai_realtime_api_utils.simulator.local import ChatEndpoint, LocalEngine

NOW = datetime(2026, 11, 20, 9, 14, tzinfo=UTC)


async def answered(engine: LocalEngine, samples: np.ndarray) -> np.ndarray:
    """Return the spoken answer to a spoken question."""
    listening = engine.listen()
    await listening.hear(samples)
    asked = turn(spoken(await listening.finish()))
    answer = [await engine.speak(thought.text, voice="marin", speed=1.0) async for thought in engine.think(asked)]
    return np.concatenate(answer)


@pytest.mark.parametrize("has_flite", [True, False])
def test_a_spoken_question_gets_the_right_spoken_answer(monkeypatch, has_flite):
    """A listener picks the right one of 20 sentences for the answer; a clock that jumps stands still meanwhile."""
    pytest.importorskip("pocketsphinx", reason="there is none for this Python")
    if has_flite and shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    if not has_flite:
        monkeypatch.setattr(shutil, "which", lambda program: None)
    clock = ManualClock()

    async def main() -> np.ndarray:
        engine = LocalEngine(clock=clock, now=lambda: NOW)
        try:
            return await answered(engine, question())
        finally:
            await engine.close()

    answer = fast_forward.run(main(), clock)
    assert which_sentence(answer, ANSWERS) == "Six times seven is forty-two."
    assert 1.0 < len(answer) / RATE < 4.0
    assert clock.now() == 0.0


async def test_it_tells_the_time_it_was_given():
    """The time of day is an argument."""
    engine = LocalEngine(now=lambda: NOW)
    thoughts = [thought async for thought in engine.think(turn(user("what time is it")))]
    assert thoughts == [Say("It is nine fourteen in the morning.")]
    await engine.close()


async def test_nothing_starts_before_it_is_needed():
    """A session that types and reads starts no process."""
    engine = LocalEngine()
    _ = [thought async for thought in engine.think(turn(user("hello")))]
    assert engine._listener._worker._running is None
    assert engine._voice._worker._running is None
    await engine.close()


async def test_without_a_listener_it_answers_what_is_typed(monkeypatch):
    """A missing pocketsphinx fails a transcription with the way to mend it, and nothing else."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pocketsphinx" else object())
    engine = LocalEngine()
    listening = engine.listen()
    assert await listening.hear(np.zeros(10, np.int16)) == ""
    heard = await listening.finish()
    await listening.drop()
    assert isinstance(heard, Fail)
    assert heard.code == "listener_missing"
    assert 'pip install "openai-realtime-api-utils[local]"' in heard.message
    assert engine.describe().startswith("It cannot listen, so type to it: The local listener needs the package")
    assert [thought async for thought in engine.think(turn(user("thanks")))] == [Say("You are welcome.")]
    await engine.close()


async def test_a_python_without_a_wheel_is_told_so(monkeypatch):
    """Where no installation helps, the sentence says which Python does."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pocketsphinx" else object())
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    engine = LocalEngine()
    assert "on Python 3.11 to 3.13; there is none for 3.14 yet" in engine.describe()
    await engine.close()


async def test_without_a_voice_it_answers_in_text(monkeypatch):
    """A missing voice fails what is spoken with the way to mend it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda program: None)
    engine = LocalEngine()
    with pytest.raises(SimulatorError, match=r"The local voice needs the package 'espeakng_loader'"):
        await engine.speak("Hello.", voice="marin", speed=1.0)
    assert "It cannot speak, so ask for text" in engine.describe()
    await engine.close()


@pytest.mark.parametrize(
    ("options", "program", "words"),
    [
        ({}, "/usr/bin/flite", "by a few rules of its own. It speaks with flite, which is installed here."),
        ({}, None, "It speaks with espeak-ng, as flite is not installed here."),
        ({"grammar": ["hello"]}, None, "It listens with pocketsphinx (one grammar only)."),
        ({"chat": ChatEndpoint("http://localhost:1/v1", "m")}, None, "It thinks with the chat model m at localhost:1."),
    ],
)
async def test_it_says_what_it_chose(monkeypatch, options, program, words):
    """Listener, mind and voice are named, with the reason."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(shutil, "which", lambda name: program)
    engine = LocalEngine(**options)
    assert words in engine.describe()
    await engine.close()


async def test_a_chat_model_thinks_in_place_of_the_rules():
    """With an endpoint, what it fails at is what is answered."""
    engine = LocalEngine(chat=ChatEndpoint("http://127.0.0.1:9/v1", "m"))
    async with aclosing(engine.think(turn(user("hello")))) as answer:
        assert (await anext(answer)).code == "chat_failed"
    await engine.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
async def test_cancelled_at_any_moment_it_leaves_no_process():
    """Whenever a session is cancelled, close ends everything that it had started."""
    pytest.importorskip("pocketsphinx", reason="there is none for this Python")

    def children() -> str:
        return "".join((task / "children").read_text() for task in Path("/proc/self/task").iterdir())

    before = children()
    for turns in (0, 1, 2, 5, 10, 50, 200):
        engine = LocalEngine()
        session = asyncio.create_task(answered(engine, question()))
        for _ in range(turns):
            await asyncio.sleep(0)
        session.cancel()
        await asyncio.gather(session, return_exceptions=True)
        await engine.close()
        assert children() == before


async def test_closing_twice_is_no_matter():
    """The second close finds nothing to do."""
    engine = LocalEngine()
    await engine.speak("Hello.", voice="marin", speed=1.0)
    pid = engine._voice._worker._running.process.pid
    await engine.close()
    await engine.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
