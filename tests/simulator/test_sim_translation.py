"""Translation sessions: speech in one language goes in, speech in another comes out, with no items and no turns."""

import base64

import numpy as np
import pytest

from openai_realtime_api_utils.simulator.commands import Close, Think
from openai_realtime_api_utils.simulator.engine import RATE, Fail
from openai_realtime_api_utils.simulator.synthetic import synthetic_speech
from simulated import Wire, loud, of, only, quiet, types

reported = pytest.mark.reported


def append(samples):
    return {"type": "session.input_audio_buffer.append", "audio": base64.b64encode(samples.tobytes()).decode()}


def update(**audio):
    return {"type": "session.update", "session": {"audio": audio}}


def speak(wire, seconds=1.0, silence=1.0):
    """Speak in chunks of 200 ms, in real time."""
    sound = np.concatenate((loud(seconds), quiet(silence)))
    for at in range(0, len(sound), RATE // 5):
        wire.send(append(sound[at : at + RATE // 5]))
        wire.wait(0.2)


def translating(*replies, **options):
    wire = Wire(replies, kind="translation", **options)
    wire.send(update(output={"language": "es"}))
    return wire


def test_session_created():
    """The session states its type, model, end, and what it hears and speaks; there is no ``object``."""
    (created,) = Wire(kind="translation", model="gpt-realtime-translate").events
    session = created["session"]
    assert set(session) == {"id", "type", "model", "expires_at", "audio"}
    assert (session["type"], session["model"]) == ("translation", "gpt-realtime-translate")


def test_begins_with_settings_of_a_key():
    """What comes with a key is there from the start, its model too."""
    given = {"model": "gpt-realtime-translate", "audio": {"output": {"language": "fr"}}}
    (created,) = Wire(kind="translation", given=given).events
    assert created["session"]["audio"]["output"] == {"language": "fr"}


def test_speech_is_translated():
    """What is said comes back as speech and text of the other language, and as nothing else."""
    wire = translating("Buenos días.", hears=["good morning"])
    speak(wire)
    wire.wait(5)
    assert set(types(wire.events[2:])) == {"session.output_transcript.delta", "session.output_audio.delta"}
    assert "".join(e["delta"] for e in of(wire.events, "session.output_transcript.delta")) == "Buenos días."
    audio = of(wire.events, "session.output_audio.delta")
    sound = np.frombuffer(b"".join(base64.b64decode(e["delta"]) for e in audio), "<i2")
    assert np.array_equal(sound, synthetic_speech("Buenos días."))
    assert {(e["format"], e["sample_rate"], e["channels"]) for e in audio} == {("pcm16", RATE, 1)}
    assert all(e["elapsed_ms"] % 200 == 0 for e in audio)


def test_engine_is_told_the_language():
    """The engine gets what was heard, and the language to translate it into."""
    wire = translating("Buenos días.", hears=["good morning"])
    speak(wire)
    turn = wire.commands_of(Think)[0].turn
    assert turn.translate_to == "es"
    assert turn.items[-1]["content"][0]["transcript"] == "good morning"


def test_input_transcript_only_where_it_is_asked_for():
    """With a transcription configured, what was heard is told as well, while it is heard."""
    wire = translating("Buenos días.", "Adiós.", hears=["good morning", "good bye"], overhears=True)
    wire.send(update(input={"transcription": {"model": "gpt-realtime-whisper"}}))
    speak(wire)
    speak(wire)
    wire.wait(5)
    heard = of(wire.events, "session.input_transcript.delta")
    assert "".join(e["delta"] for e in heard) == "good morning good bye"
    assert all(e["elapsed_ms"] % 200 == 0 for e in heard)


@reported
def test_phrases_come_out_in_order():
    """A second phrase is translated after the first, and kept apart from it: deltas are put together as they come."""
    wire = translating("Uno dos tres.", "Cuatro cinco.", hears=["one two three", "four five"])
    speak(wire, 1, 0.6)
    speak(wire, 1, 0.6)
    wire.wait(5)
    said = "".join(e["delta"] for e in of(wire.events, "session.output_transcript.delta"))
    assert said == "Uno dos tres. Cuatro cinco."


def test_long_speech_is_translated_in_stretches():
    """Who speaks without a pause is translated meanwhile."""
    wire = translating("Uno.", "Dos.", hears=["one", "two"])
    speak(wire, 10, 0)
    assert len(wire.commands_of(Think)) == 1


def test_small_chunks_fill_frames():
    """Sound in chunks of any size is taken in frames of 200 ms."""
    wire = translating("Sí.", hears=["yes"])
    sound = np.concatenate((loud(1), quiet(1)))
    for at in range(0, len(sound), 700):
        wire.send(append(sound[at : at + 700]))
    wire.wait(5)
    assert "".join(e["delta"] for e in of(wire.events, "session.output_transcript.delta")) == "Sí."


def test_close_flushes():
    """Closing translates what was still being said, lets it out, and then closes."""
    wire = translating("Buenos días.", hears=["good morning"])
    wire.send(append(loud(0.9)), {"type": "session.close"})
    (error,) = wire.send(append(loud(0.2)))
    assert error["error"]["code"] == "invalid_event"
    wire.send({"type": "session.close"})
    wire.wait(5)
    assert types(wire.events)[-1] == "session.closed"
    assert "".join(e["delta"] for e in of(wire.events, "session.output_transcript.delta")) == "Buenos días."
    assert wire.commands_of(Close) == [Close(1000, "")]


def test_close_with_nothing_said():
    """Closing a session in which nobody spoke closes it at once."""
    wire = translating()
    wire.send(append(quiet(1)))
    assert types(wire.send({"type": "session.close"}) + wire.wait(0.1)) == ["session.closed"]


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        ({"type": "session.update", "session": {"type": "translation"}}, "unknown_parameter", "session.type"),
        ({"type": "session.update", "session": {"model": "x"}}, "unknown_parameter", "session.model"),
        (update(output={"voice": "marin"}), "unknown_parameter", "session.audio.output.voice"),
        (update(output={"language": ""}), "invalid_value", "session.audio.output.language"),
        ({"type": "input_audio_buffer.append", "audio": "AAAA"}, "invalid_value", "type"),
        ({"type": "response.create"}, "invalid_value", "type"),
        ({"type": "session.input_audio_buffer.append", "audio": "!"}, "invalid_value", "audio"),
    ],
)
@reported
def test_refusals(event, code, param):
    """What a translation session does not take is refused."""
    wire = Wire(kind="translation")
    before = wire.session.config
    (error,) = wire.send(event)
    assert (error["error"]["code"], error["error"]["param"]) == (code, param)
    assert wire.session.config == before


@reported
@pytest.mark.parametrize("fails", ["listener", "translator"])
def test_failure(fails):
    """A failure is told by an ``error`` event, and the next phrase is translated."""
    if fails == "listener":
        wire = translating("Sí.", hears=[Fail("deaf", "It is deaf."), "yes"])
    else:
        wire = translating(Fail("deaf", "It is deaf."), "Sí.", hears=["one", "yes"])
    speak(wire)
    speak(wire)
    wire.wait(5)
    assert only(wire.events, "error")["error"]["message"] == "It is deaf."
    assert "".join(e["delta"] for e in of(wire.events, "session.output_transcript.delta")) == "Sí."


@reported
def test_session_expires():
    """It ends after an hour like any other."""
    wire = Wire(kind="translation")
    assert types(wire.wait(3600)) == ["error"]
    assert wire.commands_of(Close)[0].code == 1001
