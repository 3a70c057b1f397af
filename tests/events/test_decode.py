"""Decoding: the SDK's typed events, fast, and nothing lost."""

import json
from typing import get_args

import pytest
from openai.types.realtime import RealtimeServerEvent, RealtimeTranslationServerEvent

from openai_realtime_api_utils.errors import RemoteProtocolError
from openai_realtime_api_utils.events import decode

SPEECH = {"type": "input_audio_buffer.speech_started", "event_id": "e", "item_id": "i", "audio_start_ms": 40}


@pytest.mark.parametrize("as_frame", [json.dumps, lambda event: json.dumps(event).encode()])
def test_a_frame_becomes_the_sdks_event(as_frame):
    """Text and bytes both give the class that the SDK has for the type."""
    event = decode(as_frame(SPEECH))
    assert type(event).__name__ == "InputAudioBufferSpeechStartedEvent"
    assert event.audio_start_ms == 40


def test_undeclared_fields_stay():
    """The service sends fields that the SDK does not declare; they are kept."""
    event = decode(json.dumps({**SPEECH, "obfuscation": "xyz"}))
    assert event.obfuscation == "xyz"


@pytest.mark.parametrize(
    "fields", [{}, {"audio_start_ms": "soon"}, {"item_id": None, "audio_start_ms": None}, {"event_id": 7}]
)
def test_a_known_type_with_wrong_fields_comes_unchecked(fields):
    """Servers leave fields out or change them: the event arrives all the same, as its own class."""
    event = decode(json.dumps({"type": SPEECH["type"], **fields}))
    assert type(event).__name__ == "InputAudioBufferSpeechStartedEvent"
    assert {name: getattr(event, name) for name in fields} == fields


def test_an_unknown_type_is_never_dressed_as_a_known_one():
    """The SDK's own parse gives an unknown type the class of another event; this one does not."""
    event = decode(b'{"type":"session.dance","event_id":"e","foot":"left"}')
    assert (event.type, event.foot, type(event).__name__) == ("session.dance", "left", "UnknownEvent")


@pytest.mark.parametrize("session_type", ["realtime", "transcription", "translation"])
def test_every_kind_of_session_is_told_apart(session_type):
    """session.created has one name for three kinds of session."""
    session = {"type": session_type, "id": "s", "model": "m", "expires_at": 1, "audio": {"output": {"language": "es"}}}
    event = decode(json.dumps({"type": "session.created", "event_id": "e", "session": session}))
    assert event.session.type == session_type
    assert ("Translation" in type(event).__name__) == (session_type == "translation")


def test_translation_events_are_typed():
    """Events that only translations have come as their classes."""
    event = decode(b'{"type":"session.output_transcript.delta","event_id":"e","delta":"hola"}')
    assert type(event).__name__ == "RealtimeTranslationOutputTranscriptDeltaEvent"


def test_every_type_of_the_sdk_is_known():
    """No event type of the installed SDK comes out as unknown."""
    unions = [get_args(union)[0] for union in (RealtimeServerEvent, RealtimeTranslationServerEvent)]
    types = {get_args(model.model_fields["type"].annotation)[0] for union in unions for model in get_args(union)}
    unknown = {name for name in types if type(decode(json.dumps({"type": name}))).__name__ == "UnknownEvent"}
    assert unknown == set()


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (b"hello", "not JSON: 'hello'"),
        (b"\xff", "not JSON"),
        (b"", "not JSON: ''"),
        (b"[]", "without an event type"),
        (b"null", "without an event type"),
        (b'{"type":null}', "without an event type"),
        (b'{"a":"' + b"x" * 1000 + b'"}', r"x\.\.\.|xxx'\.\.\."),
    ],
)
def test_what_is_no_event_is_refused(frame, said):
    """A frame without an event in it is told in one sentence that shows its beginning."""
    with pytest.raises(RemoteProtocolError, match=said) as caught:
        decode(frame)
    assert caught.value.event == frame
    assert len(str(caught.value)) < 300
