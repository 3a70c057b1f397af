"""Transcription sessions: what is said becomes items and transcripts, and nobody answers."""

import pytest

from openai_realtime_api_utils.simulator.engine import Fail
from simulated import Wire, append, loud, of, only, quiet, types, update

reported = pytest.mark.reported

TRANSCRIPTION = "conversation.item.input_audio_transcription"
LOGPROBS = ["item.input_audio_transcription.logprobs"]


def configure(**session):
    return {"type": "session.update", "session": {"type": "transcription", **session}}


def transcriber(model, **input_config):
    return {"input": {"transcription": {"model": model}, **input_config}}


@reported
def test_session_created():
    """The session begins with server VAD at 0.5/300/200, and with nothing that only a conversation has."""
    (created,) = Wire(kind="transcription").events
    session = created["session"]
    assert set(session) == {"type", "object", "id", "expires_at", "audio", "include"}
    assert (session["type"], session["object"]) == ("transcription", "realtime.transcription_session")
    assert session["audio"]["input"]["turn_detection"] == {
        "type": "server_vad",
        "threshold": 0.5,
        "prefix_padding_ms": 300,
        "silence_duration_ms": 200,
    }


def test_spoken_turn():
    """A turn is detected, committed and transcribed, and no response comes."""
    wire = Wire(kind="transcription", hears=["hello there"])
    wire.send(configure(audio=transcriber("gpt-4o-transcribe")))
    wire.speak()
    wire.wait(5)
    assert types(wire.events[2:]) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        f"{TRANSCRIPTION}.delta",
        f"{TRANSCRIPTION}.completed",
    ]
    completed = only(wire.events, f"{TRANSCRIPTION}.completed")
    assert (completed["transcript"], completed["usage"]["type"]) == ("hello there", "tokens")


@reported
@pytest.mark.parametrize("model", ["gpt-live-transcribe", "gpt-realtime-whisper"])
def test_streaming_with_manual_commit(model):
    """Streaming transcribers send deltas while the user speaks, and the rest after the commit."""
    wire = Wire(kind="transcription", hears=["hello there"], overhears=True)
    wire.send(configure(audio=transcriber(model, turn_detection=None)))
    (delta,) = wire.send(append(loud(0.5)))
    assert (delta["type"], delta["delta"]) == (f"{TRANSCRIPTION}.delta", " hello")
    committed = wire.send({"type": "input_audio_buffer.commit"})
    assert types(committed)[:3] == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    wire.wait(5)
    deltas = of(wire.events, f"{TRANSCRIPTION}.delta")
    assert "".join(e["delta"] for e in deltas).removeprefix(" ") == "hello there"
    assert only(wire.events, f"{TRANSCRIPTION}.completed")["usage"] == {"type": "duration", "seconds": 1}


@pytest.mark.parametrize("model", ["gpt-4o-transcribe", "gpt-live-transcribe"])
def test_logprobs(model):
    """With ``include`` each delta and the whole come with log probabilities of their tokens."""
    wire = Wire(kind="transcription", hears=["hello there"], overhears=True)
    wire.send(configure(include=LOGPROBS, audio=transcriber(model)))
    wire.speak()
    wire.wait(5)
    for delta in of(wire.events, f"{TRANSCRIPTION}.delta"):
        assert "".join(each["token"] for each in delta["logprobs"]) == delta["delta"]
    logprobs = only(wire.events, f"{TRANSCRIPTION}.completed")["logprobs"]
    assert [each["token"] for each in logprobs] == ["hello", " there"]
    assert bytes(logprobs[0]["bytes"]) == b"hello"
    assert all(each["logprob"] <= 0 for each in logprobs)


def test_no_logprobs_unless_asked():
    """Without ``include`` there is no such key."""
    wire = Wire(kind="transcription", hears=["hello"])
    wire.send(configure(audio=transcriber("gpt-4o-transcribe")))
    wire.speak()
    wire.wait(5)
    assert "logprobs" not in only(wire.events, f"{TRANSCRIPTION}.completed")


@reported
def test_segments_of_the_diarizing_model():
    """The diarizing transcriber sends a segment with its speaker before the whole."""
    wire = Wire(kind="transcription", hears=["hello there"])
    wire.send(configure(audio=transcriber("gpt-4o-transcribe-diarize")))
    wire.speak()
    wire.wait(5)
    segment = only(wire.events, f"{TRANSCRIPTION}.segment")
    completed = only(wire.events, f"{TRANSCRIPTION}.completed")
    assert wire.events.index(segment) < wire.events.index(completed)
    assert (segment["text"], segment["speaker"], segment["start"]) == ("hello there", "A", 0.0)
    assert of(wire.events, f"{TRANSCRIPTION}.delta") == []


def test_failed():
    """A listener that gives up fails the transcription, and the session goes on."""
    wire = Wire(kind="transcription", hears=[Fail("audio_unintelligible", "No words."), "again"])
    wire.send(configure(audio=transcriber("whisper-1")))
    wire.speak()
    wire.speak()
    wire.wait(5)
    assert only(wire.events, f"{TRANSCRIPTION}.failed")["error"]["code"] == "audio_unintelligible"
    assert only(wire.events, f"{TRANSCRIPTION}.completed")["transcript"] == "again"


def test_languages_are_echoed():
    """The first of the languages that were hinted at is told as the one that was heard."""
    wire = Wire(kind="transcription", hears=["hola"])
    config = {"model": "gpt-live-transcribe", "languages": ["es", "en"], "keywords": ["hola"]}
    (updated,) = wire.send(configure(audio={"input": {"transcription": config}}))
    assert updated["session"]["audio"]["input"]["transcription"]["languages"] == ["es", "en"]
    wire.speak()
    wire.wait(5)
    assert only(wire.events, f"{TRANSCRIPTION}.completed")["languages"] == [{"code": "es"}]


def test_turn_detection_goes_with_whisper():
    """The streaming whisper model takes no turn detection here: it is off unless an update asks for it."""
    wire = Wire(kind="transcription")
    (updated,) = wire.send(configure(audio=transcriber("gpt-realtime-whisper")))
    assert updated["session"]["audio"]["input"]["turn_detection"] is None
    (error,) = wire.send(configure(audio={"input": {"turn_detection": {"type": "server_vad"}}}))
    assert error["error"]["param"] == "session.audio.input.turn_detection"


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        (update(instructions="x"), "invalid_parameter", None),
        (configure(instructions="x"), "unknown_parameter", "session.instructions"),
        (configure(audio={"output": {}}), "unknown_parameter", "session.audio.output"),
        ({"type": "session.update", "session": {}}, "missing_required_parameter", "session.type"),
        ({"type": "response.create"}, "invalid_value", "type"),
        ({"type": "conversation.item.create", "item": {}}, "invalid_value", "type"),
        ({"type": "input_audio_buffer.append"}, "missing_required_parameter", "audio"),
        (
            configure(audio={"input": {"transcription": {"model": "whisper-1", "keywords": ["x"]}}}),
            "invalid_value",
            "session.audio.input.transcription.keywords",
        ),
        (
            configure(
                audio={
                    "input": {"transcription": {"model": "gpt-live-transcribe", "language": "en", "languages": ["en"]}}
                }
            ),
            "invalid_value",
            "session.audio.input.transcription.language",
        ),
    ],
)
@reported
def test_refusals(event, code, param):
    """What a transcription session does not take is refused, and nothing of it is applied."""
    wire = Wire(kind="transcription")
    before = wire.session.config
    (error,) = wire.send(event)
    assert (error["error"]["code"], error["error"]["param"]) == (code, param)
    assert wire.session.config == before


def test_items_can_be_retrieved_and_deleted():
    """An item gives its sound and transcript back, until it is deleted."""
    wire = Wire(kind="transcription", hears=["hello"])
    wire.speak()
    item_id = only(wire.events, "conversation.item.done")["item"]["id"]
    (retrieved,) = wire.send({"type": "conversation.item.retrieve", "item_id": item_id})
    part = retrieved["item"]["content"][0]
    assert part["transcript"] == "hello"
    assert part["audio"]
    (deleted,) = wire.send({"type": "conversation.item.delete", "item_id": item_id})
    assert deleted["type"] == "conversation.item.deleted"


def test_deleted_while_it_is_listened_to():
    """An item that is deleted before it is understood gets no transcript."""
    wire = Wire(kind="transcription", answers=False)
    wire.send(configure(audio=transcriber("whisper-1", turn_detection=None)))
    wire.send(append(loud(0.5)), {"type": "input_audio_buffer.commit"})
    item_id = only(wire.events, "conversation.item.done")["item"]["id"]
    wire.send({"type": "conversation.item.delete", "item_id": item_id})
    wire.wait(5)
    assert of(wire.events, f"{TRANSCRIPTION}.completed") == []


def test_begins_with_settings_of_a_key():
    """What comes with a key is there from the start."""
    given = {"type": "transcription", "audio": transcriber("gpt-live-transcribe", turn_detection=None)}
    (created,) = Wire(kind="transcription", given=given).events
    assert created["session"]["audio"]["input"]["transcription"]["model"] == "gpt-live-transcribe"


def test_silence_is_no_turn():
    """Sound in which nobody speaks gives no event at all."""
    assert Wire(kind="transcription").send(append(quiet(3))) == []


def test_realtime_session_gives_logprobs_too():
    """A conversation's transcriptions have them by the same ``include``."""
    wire = Wire(hears=["hello there"])
    wire.send(update(include=LOGPROBS, audio=transcriber("gpt-4o-transcribe")))
    wire.speak()
    wire.wait(5)
    assert len(only(wire.events, f"{TRANSCRIPTION}.completed")["logprobs"]) == 2
