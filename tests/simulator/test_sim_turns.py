"""Spoken turns: where they begin and end, what becomes of them, and what they interrupt."""

import base64
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.commands import Forget, Hear, Listen, Think
from openai_realtime_api_utils.simulator.engine import RATE, Fail
from simulated import Wire, append, loud, of, only, quiet, types, update

MANUAL = update(audio={"input": {"turn_detection": None}})
COMMIT = {"type": "input_audio_buffer.commit"}


def detection(**fields):
    return update(audio={"input": {"turn_detection": {"type": "server_vad", **fields}}})


def transcription(model):
    return update(audio={"input": {"transcription": {"model": model}}})


def test_turn_in_one_burst():
    """The end of a turn, its item and the response begin at one time."""
    wire = Wire(hears=["hello"])
    events = wire.speak()
    assert types(events)[:6] == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    ids = {event["item_id"] for event in events if event["type"].startswith("input_audio_buffer.")}
    assert ids == {of(events, "conversation.item.added")[0]["item"]["id"]}


@given(
    before=st.integers(0, 40).map(lambda n: n * 20),
    padding=st.integers(0, 500),
    silence=st.integers(100, 900),
)
def test_where_turns_begin_and_end(before, padding, silence):
    """A turn begins its padding before the speech, never before the session, and ends its silence after it."""
    wire = Wire()
    wire.send(detection(prefix_padding_ms=padding, silence_duration_ms=silence))
    wire.send(append(np.concatenate((quiet(before / 1000), loud(1), quiet(1)))))
    assert only(wire.events, "input_audio_buffer.speech_started")["audio_start_ms"] == max(0, before - 140 - padding)
    ended = only(wire.events, "input_audio_buffer.speech_stopped")["audio_end_ms"]
    assert before + 1000 + silence <= ended < before + 1000 + silence + 20
    item = wire.session.conversation.entries[0]
    assert item.audio_ms == ended - max(0, before - 140 - padding)


def test_pause_shorter_than_the_silence_does_not_end_a_turn():
    """Two bursts of speech with a short pause are one turn."""
    wire = Wire()
    wire.send(detection(silence_duration_ms=500))
    wire.send(append(np.concatenate((loud(0.5), quiet(0.4), loud(0.5), quiet(0.6)))))
    assert len(of(wire.events, "input_audio_buffer.speech_started")) == 1
    assert only(wire.events, "input_audio_buffer.speech_stopped")["audio_end_ms"] == 1900


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=6))
def test_chunking_changes_nothing(sizes):
    """How sound is cut into appends changes neither turns nor what is heard of them."""
    sound = np.concatenate([quiet(0.3), loud(0.4), quiet(0.6), loud(0.3), quiet(0.6)])

    def heard(chunks):
        wire = Wire()
        wire.send(detection(silence_duration_ms=300, create_response=False))
        for chunk in chunks:
            wire.send(append(chunk))
        marks = [e.get("audio_start_ms", e.get("audio_end_ms")) for e in wire.events if "speech_st" in e["type"]]
        samples = [
            np.concatenate([c.samples for c in wire.commands_of(Hear) if c.item_id == i.item_id])
            for i in wire.commands_of(Listen)
        ]
        return marks, [len(s) for s in samples], [int(np.abs(s).astype(int).sum()) for s in samples]

    cuts = [at for at in itertools.accumulate(itertools.islice(itertools.cycle(sizes), 400)) if at < len(sound)]
    assert heard(np.split(sound, cuts)) == heard([sound])


def test_listener_hears_what_the_item_holds():
    """The sound that is listened to is the sound of the item, padding and silence included."""
    wire = Wire()
    wire.speak(0.5, 1)
    heard = np.concatenate([command.samples for command in wire.commands_of(Hear)])
    assert np.array_equal(heard, wire.session.conversation.entries[0].samples)


def test_create_response_off():
    """Without ``create_response`` a turn becomes an item, and nothing answers."""
    wire = Wire()
    wire.send(detection(create_response=False))
    assert types(wire.speak())[-1] == "conversation.item.done"


def test_response_waits_for_the_transcript():
    """A model that reads is asked only when what was said is understood."""
    wire = Wire(hears=["what time is it"])
    wire.speak()
    (think,) = wire.commands_of(Think)
    assert think.turn.items[-1]["content"] == [{"type": "input_audio", "transcript": "what time is it"}]


@pytest.mark.reported
def test_barge_in():
    """Speech cancels the response: it closes what was open, incomplete, and says why."""
    wire = Wire(["A long story that goes on and on and on, for much longer than anybody would listen."])
    wire.send({"type": "response.create"})
    wire.wait(0.6)
    events = wire.send(append(loud(0.2)))
    assert types(events) == [
        "input_audio_buffer.speech_started",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
    ]
    response = only(events, "response.done")["response"]
    assert response["status"] == "cancelled"
    assert response["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert response["output"][0]["status"] == "incomplete"
    assert of(wire.wait(20), "response.output_audio.delta") == []


def test_no_interrupting():
    """Without ``interrupt_response`` the response goes on, and a turn meanwhile gets none of its own."""
    wire = Wire(["A long story that goes on and on and on. " * 10])
    wire.send(detection(interrupt_response=False, silence_duration_ms=200))
    wire.send({"type": "response.create"})
    wire.wait(0.5)
    events = wire.speak(0.3, 0.4)
    assert only(events, "error")["error"]["code"] == "conversation_already_has_active_response"
    assert only(wire.wait(60), "response.done")["response"]["status"] == "completed"


def test_push_to_talk():
    """Without turn detection nothing happens until a commit, which starts no response."""
    wire = Wire(hears=["hello"])
    wire.send(MANUAL)
    assert wire.send(append(loud(0.5)), append(quiet(2))) == []
    events = wire.send(COMMIT)
    assert types(events) == [
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
    ]
    assert events[0]["previous_item_id"] is None
    assert wire.session.conversation.entries[0].audio_ms == 2500
    assert wire.session.conversation.entries[0].transcript == "hello"


def test_clear_forgets():
    """What was cleared is in no item, and nobody listens to it any longer."""
    wire = Wire()
    wire.send(MANUAL, append(loud(0.5)))
    assert types(wire.send({"type": "input_audio_buffer.clear"})) == ["input_audio_buffer.cleared"]
    assert [c.item_id for c in wire.commands_of(Forget)] == [c.item_id for c in wire.commands_of(Listen)]
    wire.send(append(loud(0.2)), COMMIT)
    assert wire.session.conversation.entries[0].audio_ms == 200


@pytest.mark.reported
def test_commit_of_silence():
    """A commit of 100 ms of silence is an item like any other."""
    wire = Wire()
    wire.send(MANUAL, append(quiet(0.1)), COMMIT)
    assert wire.session.conversation.entries[0].audio_ms == 100


def test_commit_in_the_middle_of_a_turn():
    """A client may end a turn before the silence does; the turn's own item it is."""
    wire = Wire()
    wire.send(append(np.concatenate((quiet(1), loud(1)))))
    events = wire.send(COMMIT)
    assert events[0]["item_id"] == only(wire.events, "input_audio_buffer.speech_started")["item_id"]
    assert wire.send(append(quiet(2))) == []


def test_turning_detection_off_in_the_middle_of_a_turn():
    """The turn under way becomes the client's to commit, under the id that was announced."""
    wire = Wire()
    wire.send(append(loud(1)))
    wire.send(MANUAL, append(loud(0.2)))
    events = wire.send(COMMIT)
    assert events[0]["item_id"] == only(wire.events, "input_audio_buffer.speech_started")["item_id"]


def test_turning_detection_on_in_the_middle_of_an_utterance():
    """Turn detection begins anew, and what the client began is forgotten."""
    wire = Wire(hears=["hello"])
    wire.send(MANUAL, append(quiet(0.5)))
    wire.send(detection())
    assert only(wire.speak(), "input_audio_buffer.speech_started")["audio_start_ms"] == 500
    assert len(wire.commands_of(Forget)) == 1


def test_positions_go_on_after_a_commit():
    """Positions count from the session's first sample."""
    wire = Wire()
    wire.send(detection(create_response=False))
    sound = np.concatenate((quiet(1), loud(1), quiet(1)))
    wire.send(append(sound), append(sound))
    assert [e["audio_start_ms"] for e in of(wire.events, "input_audio_buffer.speech_started")] == [560, 3560]


def test_semantic_vad_waits_as_long_as_it_is_eager():
    """High eagerness ends a turn after two seconds at most."""
    wire = Wire()
    wire.send(update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}}))
    wire.send(append(np.concatenate((loud(1), quiet(3)))))
    assert only(wire.events, "input_audio_buffer.speech_stopped")["audio_end_ms"] == 3000


def test_half_a_sample_waits_for_the_other_half():
    """Bytes may be cut anywhere."""
    wire = Wire()
    wire.send(MANUAL)
    data = loud(0.2).tobytes()
    for piece in (data[:4801], data[4801:]):
        wire.send({"type": "input_audio_buffer.append", "audio": base64.b64encode(piece).decode()})
    wire.send(COMMIT)
    assert np.array_equal(wire.session.conversation.entries[0].samples, loud(0.2))


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
def test_telephone_sound_in(kind):
    """G.711 comes in at 8 kHz and is heard at 24."""
    wire = Wire()
    wire.send(update(audio={"input": {"format": {"type": kind}, "turn_detection": None}}))
    wire.send({"type": "input_audio_buffer.append", "audio": base64.b64encode(bytes(8000)).decode()}, COMMIT)
    assert abs(wire.session.conversation.entries[0].n_samples - RATE) < RATE // 100


def test_streaming_transcription():
    """A streaming transcriber's deltas come while the user speaks, before the item is known; the rest after it."""
    wire = Wire(hears=["hello my name is bob"], overhears=True)
    wire.send(transcription("gpt-realtime-whisper"))
    events = wire.speak(2, 1)
    delta = "conversation.item.input_audio_transcription.delta"
    order = types(events)
    assert order.index(delta) < order.index("input_audio_buffer.speech_stopped")
    assert "".join(e["delta"] for e in of(events, delta)) == " hello my name is bob"
    done = only(events, "conversation.item.input_audio_transcription.completed")
    assert (done["transcript"], done["usage"]) == ("hello my name is bob", {"type": "duration", "seconds": 3})


def test_transcription_after_the_turn():
    """Other transcribers begin when the turn is over, and count tokens."""
    wire = Wire(hears=["hello bob"], overhears=True)
    wire.send(transcription("gpt-4o-transcribe"))
    events = wire.speak(2, 1)
    delta = "conversation.item.input_audio_transcription.delta"
    assert types(events).index(delta) > types(events).index("conversation.item.done")
    assert [e["delta"] for e in of(events, delta)] == ["hello", " bob"]
    usage = only(events, "conversation.item.input_audio_transcription.completed")["usage"]
    assert usage["input_token_details"] == {"text_tokens": 0, "audio_tokens": 25}
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]


@pytest.mark.reported
def test_whisper_gives_everything_at_once():
    """whisper-1 has one delta with the whole text."""
    wire = Wire(hears=["hello bob"])
    wire.send(transcription("whisper-1"))
    assert only(wire.speak(), "conversation.item.input_audio_transcription.delta")["delta"] == "hello bob"


def test_nothing_was_said():
    """Silence is transcribed as nothing, without deltas."""
    wire = Wire()
    wire.send(transcription("gpt-realtime-whisper"))
    events = wire.speak()
    assert only(events, "conversation.item.input_audio_transcription.completed")["transcript"] == ""
    assert of(events, "conversation.item.input_audio_transcription.delta") == []


def test_failed_transcription():
    """A listener that fails gives a failed transcription; the model answers what it has."""
    wire = Wire(hears=[Fail("audio_unintelligible", "Nobody could understand it.")])
    wire.send(transcription("whisper-1"))
    events = [*wire.speak(), *wire.wait(5)]
    error = only(events, "conversation.item.input_audio_transcription.failed")["error"]
    assert (error["code"], error["message"]) == ("audio_unintelligible", "Nobody could understand it.")
    assert only(events, "response.done")["response"]["status"] == "completed"


def test_no_transcription_unless_asked_for():
    """Without ``transcription`` the model hears and the client gets no transcript."""
    wire = Wire(hears=["hello"])
    assert [e for e in wire.speak() if "transcription" in e["type"] and "input" in e["type"]] == []


def test_deleting_an_item_that_is_being_understood():
    """A response that waits for it goes on without."""
    wire = Wire(answers=False)
    wire.speak()
    (added,) = of(wire.events, "conversation.item.added")
    assert wire.commands_of(Think) == []
    wire.send({"type": "conversation.item.delete", "item_id": added["item"]["id"]})
    assert len(wire.commands_of(Think)) == 1


def test_idle_timeout():
    """A user who says nothing after the model spoke is checked on, in the recorded order."""
    wire = Wire(["Hello.", "Are you still there?"])
    wire.send(detection(idle_timeout_ms=5000))
    wire.send({"type": "response.create"})
    wire.wait(2)
    start = len(wire.events)
    for _ in range(400):
        wire.send(append(quiet(0.02)))
        wire.wait(0.02)
    events = wire.events[start:]
    assert types(events)[:7] == [
        "input_audio_buffer.timeout_triggered",
        "conversation.item.added",
        "conversation.item.done",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
    ]
    timeout = events[0]
    assert timeout["audio_end_ms"] - timeout["audio_start_ms"] == 5000
    assert events[1]["item"]["role"] == "system"
    assert (events[3]["item_id"], events[3]["previous_item_id"]) == (timeout["item_id"], events[1]["item"]["id"])
    assert len(of(events, "input_audio_buffer.timeout_triggered")) == 1


def test_silence_of_an_idle_timeout_is_not_billed():
    """Its transcript is empty, and took no seconds (one recorded session)."""
    wire = Wire(["Hello.", "Are you still there?"])
    wire.send(update(audio={"input": {"transcription": {"model": "whisper-1"}}}), detection(idle_timeout_ms=5000))
    wire.send({"type": "response.create"})
    wire.wait(2)
    wire.send(append(quiet(0.1)), append(quiet(5.1)))
    wire.wait(2)
    completed = only(wire.events, "conversation.item.input_audio_transcription.completed")
    assert (completed["transcript"], completed["usage"]) == ("", {"type": "duration", "seconds": 0})


def test_idle_timeout_needs_sound():
    """No sound, no timeout."""
    wire = Wire()
    wire.send(detection(idle_timeout_ms=5000))
    wire.send({"type": "response.create"})
    assert of(wire.wait(60), "input_audio_buffer.timeout_triggered") == []
