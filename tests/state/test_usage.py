"""Usage adds up."""

from made_events import made, response
from openai_realtime_api_utils.state.usage import Usage, add

USED = {
    "total_tokens": 240,
    "input_tokens": 196,
    "output_tokens": 44,
    "input_token_details": {
        "text_tokens": 130,
        "audio_tokens": 64,
        "image_tokens": 2,
        "cached_tokens": 128,
        "cached_tokens_details": {"text_tokens": 64, "audio_tokens": 63, "image_tokens": 1},
    },
    "output_token_details": {"text_tokens": 14, "audio_tokens": 30, "reasoning_tokens": 9},
}


def done(usage):
    return made("response.done", response=response("r", "completed", usage=usage))


def transcribed(usage):
    return made(
        "conversation.item.input_audio_transcription.completed",
        item_id="i",
        content_index=0,
        transcript="Hi.",
        usage=usage,
    )


def test_a_response_is_counted_by_modality():
    """Every kind of token has its own count, cached ones apart."""
    expected = Usage(
        responses=1,
        input_tokens=196,
        input_text_tokens=130,
        input_audio_tokens=64,
        input_image_tokens=2,
        cached_tokens=128,
        cached_text_tokens=64,
        cached_audio_tokens=63,
        cached_image_tokens=1,
        output_tokens=44,
        output_text_tokens=14,
        output_audio_tokens=30,
    )
    assert expected == add(Usage(), done(USED))


def test_responses_add_up():
    """Two responses use twice as much."""
    once = add(Usage(), done(USED))
    assert once + once == add(once, done(USED))


def test_transcription_is_counted_apart():
    """Models that count seconds and models that count tokens are told apart from responses."""
    usage = add(Usage(), transcribed({"type": "duration", "seconds": 3}))
    usage = add(usage, transcribed({"type": "tokens", "total_tokens": 35, "input_tokens": 26, "output_tokens": 9}))
    expected = Usage(transcription_seconds=3.0, transcription_input_tokens=26, transcription_output_tokens=9)
    assert expected == usage


def test_a_response_that_tells_nothing_adds_nothing():
    """A cancelled response may have no usage."""
    assert Usage() == add(Usage(), done(None))


def test_numbers_beyond_belief_add_nothing():
    """No float holds them."""
    usage = add(Usage(), transcribed({"type": "duration", "seconds": 10**400}))
    assert Usage(responses=1) == add(usage, done({"input_tokens": 10**400, "output_tokens": 10**400}))


def test_other_events_add_nothing():
    """Only two events tell of usage."""
    usage = Usage(responses=3)
    assert usage == add(usage, made("session.created", session={"type": "realtime", "usage": USED}))
