"""What things are counted as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.ids import Ids
from openai_realtime_api_utils.simulator.prompt_cache import PromptCache
from openai_realtime_api_utils.simulator.tokens import Count, response_usage, tokens, transcription_usage


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


ITEMS = [(f"item_{i}", Count(text=i % 40, audio=i % 70)) for i in range(40)]
pieces = st.lists(st.sampled_from(ITEMS), max_size=12)


@given(pieces, pieces, pieces)
def test_cache_is_of_beginnings(beginning, before, after):
    """Whole blocks of 64 of what two prompts begin with are cached, and never more than a prompt has."""
    cache = PromptCache()
    cache.remember([*beginning, *before])
    prompt = [*beginning, *after]
    cached = cache.cached(prompt).total
    shared = sum((count for _, count in beginning), Count()).total
    assert cached % 64 == 0
    assert shared // 64 * 64 <= cached <= sum((count for _, count in prompt), Count()).total


@given(pieces)
def test_a_prompt_that_grew_is_cached(prompt):
    """All of the former prompt is cached but for the last block, text first."""
    cache = PromptCache()
    cache.remember(prompt)
    total = sum((count for _, count in prompt), Count())
    cached = cache.cached([*prompt, ("new", Count(text=100))])
    assert cached.total == total.total // 64 * 64
    assert (cached.text <= total.text, cached.audio <= total.audio) == (True, True)


def test_a_changed_head_busts_the_cache():
    """After other instructions nothing is cached."""
    cache = PromptCache()
    cache.remember([("be brief", Count(text=100)), *ITEMS])
    assert cache.cached([("be long", Count(text=100)), *ITEMS]) == Count()


def test_reasoning_counts_as_text():
    """Text tokens include those that were thought with (recorded sessions)."""
    usage = response_usage(Count(text=10), Count(), Count(text=13, audio=5), reasoning=31)
    assert usage["output_token_details"] == {"text_tokens": 44, "audio_tokens": 5, "reasoning_tokens": 31}
    assert (usage["output_tokens"], usage["total_tokens"]) == (49, 59)


@pytest.mark.parametrize(("kind", "length"), [("event", 21), ("item", 21), ("resp", 21), ("call", 16)])
def test_ids_look_like_the_service_s(kind, length):
    """A prefix and so many letters and digits."""
    made = Ids(1).new(kind)
    assert made.startswith(f"{kind}_")
    assert made.removeprefix(f"{kind}_").isalnum()
    assert len(made) == len(kind) + 1 + length
