"""Redaction: what is shown holds no audio, no image, no secret."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.events import decode, redact, redact_text, visible

AUDIO = base64.b64encode(bytes(4800)).decode()


def test_audio_is_told_by_its_size():
    """Deltas, appends and retrieved parts show how much audio they carried."""
    fields = {"response_id": "r", "item_id": "i", "output_index": 0, "content_index": 0}
    frame = {"type": "response.output_audio.delta", "event_id": "e", **fields, "delta": AUDIO}
    assert redact(decode(json.dumps(frame)))["delta"] == "<4800 bytes of audio>"
    assert redact({"type": "input_audio_buffer.append", "audio": AUDIO})["audio"] == "<4800 bytes of audio>"
    item = {"type": "message", "content": [{"type": "audio", "audio": AUDIO, "transcript": "hi"}]}
    shown = redact({"type": "conversation.item.retrieved", "item": item})
    assert shown["item"]["content"] == [{"type": "audio", "audio": "<4800 bytes of audio>", "transcript": "hi"}]


def test_the_audio_config_is_shown():
    """Where 'audio' is no payload but a session's config, it stays."""
    event = {"type": "session.update", "session": {"audio": {"output": {"voice": "marin"}}}}
    assert redact(event) == event


def test_images_are_told_by_their_size():
    """A data URI shows its kind and size."""
    part = {"type": "input_image", "image_url": f"data:image/png;base64,{AUDIO}"}
    assert redact({"type": "x", "item": {"content": [part]}})["item"]["content"][0]["image_url"] == (
        "<image/png, 4800 bytes>"
    )


def test_text_deltas_are_shown():
    """Only audio deltas are payload."""
    event = {"type": "response.output_text.delta", "delta": "Hello"}
    assert redact(event) == event


@given(st.text("abcXYZ019", min_size=8), st.sampled_from(["sk-", "sk-proj-", "ek_"]))
def test_keys_are_never_shown(key, prefix):
    """API keys vanish wherever they stand, and so do headers of MCP tools."""
    secret = prefix + key
    event = {
        "type": "session.update",
        "session": {
            "instructions": f"use {secret} now",
            "tools": [
                {
                    "type": "mcp",
                    "authorization": secret,
                    "headers": {"X-Key": key},
                    "server_url": f"https://h/?k={secret}",
                }
            ],
        },
    }
    assert key not in json.dumps(redact(event))
    assert key not in redact_text(f"Incorrect API key provided: {secret}.")


def test_the_event_itself_is_left_alone():
    """Redaction works on a copy."""
    event = {"type": "input_audio_buffer.append", "audio": AUDIO}
    redact(event)
    assert event["audio"] == AUDIO


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b31m", "\x07\x08\r", "\u202eevil", "\x1b]0;title\x07", "\x00\x7f"])
def test_nothing_commands_a_terminal(text):
    """It is written out; what people write, emoji and right-to-left script included, stays as it is."""
    assert not set("\x1b\x9b\x07\x08\r\u202e\x00\x7f") & set(visible(text))
    said = "Grüße,\n\tמה \u200f! 👩\u200d🔬"
    assert visible(said) == said
