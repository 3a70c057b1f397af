"""What things are counted as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.ids import Ids
from openai_realtime_api_utils.simulator.tokens import response_usage, tokens, transcription_usage


@given(st.text())
def test_tokens_concatenate(text):
    """Cutting text into tokens loses nothing."""
    assert "".join(tokens(text)) == text


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Hello, Marcelo!", ["Hello", ",", " Marcelo", "!"]),
        ("I\u2019ll check.", ["I", "\u2019ll", " check", "."]),
        ('{"city":"London"}', ['{"', "city", '":"', "London", '"}']),
    ],
)
def test_tokens_are_those_of_recorded_sessions(text, pieces):
    """Words keep the space before them; punctuation stands alone."""
    assert tokens(text) == pieces


@pytest.mark.parametrize(
    ("model", "ms", "usage"),
    [
        ("gpt-realtime-whisper", 2796, {"type": "duration", "seconds": 3}),
        ("whisper-1", 1000, {"type": "duration", "seconds": 1}),
    ],
)
def test_transcription_by_duration(model, ms, usage):
    """Seconds begun are counted."""
    assert transcription_usage(model, ms, "hello") == usage


def test_transcription_by_tokens():
    """The 4o models count a token per 100 ms heard, as in a recorded session."""
    usage = transcription_usage("gpt-4o-transcribe", 2668, "Hello, my name is Marcelo.")
    assert (usage["type"], usage["input_tokens"]) == ("tokens", 26)


def test_no_more_is_cached_than_is_given():
    """Cached tokens are whole blocks of 64, and at most the input."""
    usage = response_usage("i" * 400, [], [], said="", audio_ms=0, already_seen=10_000)
    assert usage["input_tokens"] == 100
    assert usage["input_token_details"]["cached_tokens"] == 64


@pytest.mark.parametrize(("kind", "length"), [("event", 21), ("item", 21), ("resp", 21), ("call", 16)])
def test_ids_look_like_the_service_s(kind, length):
    """A prefix and so many letters and digits."""
    made = Ids(1).new(kind)
    assert made.startswith(f"{kind}_")
    assert made.removeprefix(f"{kind}_").isalnum()
    assert len(made) == len(kind) + 1 + length
