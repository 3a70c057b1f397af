"""Semantic turn detection: who has finished is answered soon, who trails off is given time."""

import pytest

from openai_realtime_api_utils.simulator.semantic import sounds_finished
from simulated import Wire, append, loud, only, quiet, types, update

pytestmark = pytest.mark.reported


@pytest.mark.parametrize(
    ("said", "is_finished"),
    [
        ("What is the weather in Paris?", True),
        ("what is the weather in paris", True),
        ("yes", True),
        ("I would like a table for two.", True),
        ("I would like a table and", False),
        ("I would like a table, and uh", False),
        ("well um", False),
        ("what is the weather in", False),
        ("I want", True),
        ("let me think...", False),
        ("the first one,", False),
        ("I\u2019m not sure because", False),
        ("", False),
        ("  ?", False),
    ],
)
def test_what_sounds_finished(said, is_finished):
    """Sentences end turns; conjunctions, articles, hesitations and open punctuation do not."""
    assert sounds_finished(said) is is_finished


def end_of_turn(said, eagerness):
    """Return how long after the speech the turn ends, in milliseconds."""
    wire = Wire(hears=[said], overhears=True)
    wire.send(update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": eagerness}}}))
    wire.send(append(loud(1)))
    wire.send(append(quiet(10)))
    return only(wire.events, "input_audio_buffer.speech_stopped")["audio_end_ms"] - 1000


@pytest.mark.parametrize(("eagerness", "ms"), [("low", 1200), ("medium", 600), ("auto", 600), ("high", 300)])
def test_finished(eagerness, ms):
    """A turn that sounds finished ends early, the sooner the more eager."""
    assert end_of_turn("yes", eagerness) == ms


@pytest.mark.parametrize(("eagerness", "ms"), [("low", 8000), ("medium", 4000), ("auto", 4000), ("high", 2000)])
def test_trailing_off(eagerness, ms):
    """A turn that trails off is waited for as long as the reference says."""
    assert end_of_turn("and", eagerness) == ms


def test_going_on_is_one_turn():
    """Who goes on within the wait has not ended the turn."""
    wire = Wire(hears=["and"], overhears=True)
    wire.send(update(audio={"input": {"turn_detection": {"type": "semantic_vad"}}}))
    for sound in (loud(1), quiet(3), loud(1), quiet(3)):
        wire.send(append(sound))
    assert types(wire.events[2:]) == ["input_audio_buffer.speech_started"]


def test_answer_and_interruption_as_configured():
    """``create_response`` holds for semantic detection too."""
    wire = Wire(hears=["yes"], overhears=True)
    detection = {"type": "semantic_vad", "eagerness": "high", "create_response": False}
    wire.send(update(audio={"input": {"turn_detection": detection}}))
    wire.send(append(loud(1)), append(quiet(3)))
    assert types(wire.events)[-1] == "conversation.item.done"
