"""The events that programs send most, from what they have at hand."""

import base64

import numpy as np
import pytest

from made_events import added, made, message
from openai_realtime_api_utils import (
    FormatError,
    LocalProtocolError,
    say,
    seed_conversation,
    user_audio,
    user_image,
    user_text,
)
from openai_realtime_api_utils.simulator import questions
from openai_realtime_api_utils.state.conversation import Conversation, apply

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
JPEG = b"\xff\xd8\xff" + bytes(8)


def item_of(event):
    assert event["type"] == "conversation.item.create"
    return event["item"]


def test_a_text_is_a_users_message():
    """With an id where one is given."""
    content = [{"type": "input_text", "text": "Hi"}]
    assert item_of(user_text("Hi")) == {"type": "message", "role": "user", "content": content}
    assert item_of(user_text("Hi", item_id="mine"))["id"] == "mine"


@pytest.mark.parametrize(("data", "kind"), [(PNG, "png"), (JPEG, "jpeg")])
def test_an_image_becomes_a_data_uri(data, kind, tmp_path):
    """From bytes, a path, or the path as text; its kind is read from what it holds."""
    path = tmp_path / "image"
    path.write_bytes(data)
    url = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    for image in (data, path, str(path)):
        assert item_of(user_image(image))["content"] == [{"type": "input_image", "image_url": url}]


def test_an_image_may_be_an_address_with_words_and_detail():
    """Which pass as they are."""
    parts = item_of(user_image("https://example.com/a.png", text="What?", detail="low"))["content"]
    assert parts == [
        {"type": "input_text", "text": "What?"},
        {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "low"},
    ]


@pytest.mark.parametrize(
    ("image", "why"), [(b"GIF89a", "6 bytes are no PNG"), ("missing.png", "missing.png cannot be read")]
)
def test_what_is_no_image_is_refused(image, why):
    """In one sentence."""
    with pytest.raises(FormatError, match=why):
        user_image(image)


def test_sound_is_taken_as_samples_bytes_or_a_file():
    """A file is brought to the session's 24 kHz."""
    samples = np.arange(-3, 3, dtype=np.int16)
    for sound in (samples, samples.tobytes()):
        (part,) = item_of(user_audio(sound))["content"]
        assert (part["type"], base64.b64decode(part["audio"])) == ("input_audio", samples.tobytes())
    (part,) = item_of(user_audio(questions.path()))["content"]
    assert 1.0 < len(base64.b64decode(part["audio"])) / 48_000 < 4.0
    with pytest.raises(FormatError, match="There is no file"):
        user_audio("missing.wav")


def test_a_prompt_to_speak_may_be_beside_the_conversation():
    """Then it needs no input."""
    assert say("Greet.") == {"type": "response.create", "response": {"instructions": "Greet."}}
    assert say("x", out_of_band=True, output_modalities=["text"], metadata={"a": "b"})["response"] == {
        "instructions": "x",
        "conversation": "none",
        "input": [],
        "output_modalities": ["text"],
        "metadata": {"a": "b"},
    }


def test_a_transcript_becomes_a_past():
    """Lines without a speaker go on with the one before."""
    events = seed_conversation("User: I am Bo.\nand hungry\n\nassistant: Hello Bo.\nSYSTEM: Be kind.")
    assert [(item["role"], item["content"][0]) for item in map(item_of, events)] == [
        ("user", {"type": "input_text", "text": "I am Bo. and hungry"}),
        ("assistant", {"type": "output_text", "text": "Hello Bo."}),
        ("system", {"type": "input_text", "text": "Be kind."}),
    ]


def test_a_transcript_without_a_speaker_is_refused():
    """It is not known whose words they are."""
    with pytest.raises(LocalProtocolError, match="does not say who speaks"):
        seed_conversation("hello\nuser: hi")


def test_items_are_seeded_in_order_with_their_ids():
    """Those of a replica and those in the API's own words; speech returns as words, calls with their outputs."""
    conversation = Conversation()
    apply(conversation, added(message("u1", "user", "Hi")))
    apply(conversation, added(message("a1", "assistant", "Hello."), "u1"))
    call = {"id": "c1", "type": "function_call", "status": "completed", "name": "f", "call_id": "x", "arguments": "{}"}
    apply(conversation, made("conversation.item.added", item=call, previous_item_id="a1"))
    output = {"id": "o1", "type": "function_call_output", "call_id": "x", "output": "1"}
    apply(conversation, made("conversation.item.added", item=output, previous_item_id="c1"))
    events = seed_conversation([*conversation.items, {"type": "message", "role": "user", "content": [
        {"type": "input_text", "text": "And?"}]}])  # fmt: skip
    items = [item_of(event) for event in events]
    assert [item.get("id") for item in items] == ["u1", "a1", "c1", "o1", None]
    assert items[1] == {
        "id": "a1",
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Hello."}],
    }


def test_an_id_that_is_too_long_is_dropped():
    """The server would refuse it (reported)."""
    (event,) = seed_conversation([message("x" * 40, "user", "Hi")])
    assert "id" not in event["item"]
