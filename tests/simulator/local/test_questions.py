"""Listen to the shipped questions for real, and let the mind answer what the listener made of them."""

import itertools
import wave
from datetime import UTC, datetime

import numpy as np
import pytest

from listening import question
from openai_realtime_api_utils.audio.level import rms_dbfs
from openai_realtime_api_utils.errors import SimulatorError
from openai_realtime_api_utils.simulator import questions
from openai_realtime_api_utils.simulator.engine import RATE, Call, Say, Turn
from openai_realtime_api_utils.simulator.local.mind import answer
from openai_realtime_api_utils.simulator.local.story import STORY

NOW = datetime(2026, 11, 20, 9, 14, tzinfo=UTC)
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ANSWERS = {
    "sum": [Say("Six times seven is forty-two.")],
    "time": [Say("It is nine fourteen in the morning.")],
    "weather": [Call("get_weather", {"city": "Paris"})],
    "story": [Say(f"{STORY[0]} ")],
    "two_turns": [Say("Twenty plus thirty is fifty."), Say("Nine times nine is eighty-one.")],
    "interruption": [Say(f"{STORY[0]} "), Say("All right, I will stop here.")],
}


def sentences_of(name: str) -> list[np.ndarray]:
    """Return the sentences of a question at the engine's rate, cut where it pauses, with half a second around each."""
    samples = question(name)
    pause = questions.QUESTIONS[name].pause_s * RATE
    loud = np.flatnonzero(np.abs(samples) > 3)
    ends = loud[:-1][np.diff(loud) > pause - RATE / 2] if pause else []
    edges = [0, *(int(end + RATE) for end in ends), len(samples)]
    return [samples[start:end] for start, end in itertools.pairwise(edges)]


@pytest.mark.parametrize("name", questions.NAMES)
def test_a_shipped_question_is_understood_and_answered(name):
    """What the listener makes of the file leads to the right kind of answer."""
    pytest.importorskip("pocketsphinx", reason="there is none for this Python")
    from openai_realtime_api_utils.simulator.local.decoding import Utterance, make_decoder

    decoder = make_decoder()
    thoughts = []
    for samples in sentences_of(name):
        utterance = Utterance(decoder)
        utterance.hear(samples)
        said = {"type": "input_audio", "transcript": utterance.finish()}
        turn = Turn("", [{"type": "message", "role": "user", "content": [said]}], tools=[WEATHER])
        thoughts.append(answer(turn, NOW)[0])
    assert thoughts == ANSWERS[name]


@pytest.mark.parametrize("name", questions.NAMES)
def test_a_shipped_question_is_as_loud_as_a_person_close_by(name):
    """Its speech is at -20 dBFS, and it is a 16 kHz mono 16-bit file."""
    with wave.open(str(questions.path(name))) as sound:
        assert sound.getparams()[:3] == (1, 2, 16_000)
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
    speech = samples[np.convolve(samples != 0, np.ones(800), "same") > 0]
    assert -23 < rms_dbfs(speech) < -19


def test_the_default_question_is_one_of_them():
    """A caller who names none gets one that exists."""
    assert questions.path() == questions.path(questions.DEFAULT)
    assert questions.path().is_file()


def test_an_unknown_question_is_told_with_the_known_ones():
    """The message holds the name and the choices."""
    with pytest.raises(SimulatorError, match=r"no spoken question 'riddle': the questions are sum, time"):
        questions.path("riddle")
