"""The session of a call: its sound goes another way than by events, and several connections may watch it."""

import numpy as np
import pytest

from openai_realtime_api_utils.simulator.commands import Hush, Play
from openai_realtime_api_utils.simulator.engine import RATE
from openai_realtime_api_utils.simulator.synthetic import synthetic_speech
from simulated import Wire, check_event, loud, of, only, quiet, types, update

reported = pytest.mark.reported

STORY = "Once upon a time there was a king who had three daughters, and the youngest of them loved to sing. "
CREATE = {"type": "response.create"}


def call(*replies, **options):
    return Wire(replies, call_id="rtc_u0_1", **options)


def listen(wire, sound):
    """Let the caller speak, frame by frame, in real time."""
    for at in range(0, len(sound), RATE // 50):
        wire.hear(sound[at : at + RATE // 50])
        wire.wait(0.02)


def test_session_created_is_for_one_view():
    """Only whoever opened the session is told that it was created; a sideband waits for nothing."""
    wire = call()
    assert (types(wire.events), wire.views) == (["session.created"], [0])


def test_errors_go_to_whoever_caused_them():
    """A refusal is for the view that sent what is refused; what happens is for all."""
    wire = call()
    wire.send({"type": "nonsense"}, view=7)
    wire.send(update(instructions="x"), view=7)
    assert (types(wire.events[1:]), wire.views[1:]) == (["error", "session.updated"], [7, None])


def test_speech_in_a_call():
    """The order of events is that of the recorded sideband: no sound, and the buffer's own events around it."""
    wire = call("Hello there.")
    wire.send(CREATE)
    wire.wait(10)
    assert types(wire.events[1:]) == [
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "output_audio_buffer.started",
        "response.output_audio_transcript.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
        "rate_limits.updated",
        "output_audio_buffer.stopped",
    ]
    played = np.concatenate([command.samples for command in wire.commands_of(Play)])
    assert np.array_equal(played, synthetic_speech("Hello there."))


def test_stopped_when_it_has_been_played():
    """The buffer runs empty when a listener has heard it all, which is long after the response is done."""
    wire = call(STORY)
    wire.send(CREATE)
    wire.wait(20)
    at = {event["type"]: time for event, time in zip(wire.events, wire.times, strict=True)}
    length = at["output_audio_buffer.stopped"] - at["output_audio_buffer.started"]
    assert length == pytest.approx(len(STORY) * 0.06, abs=0.01)


@reported
def test_barge_in_truncates():
    """When the caller speaks up, the service cuts its own sound, and shortens the item to what was heard."""
    wire = call(STORY * 3, "Yes?", hears=["stop"])
    wire.send(CREATE)
    wire.wait(4)
    start = len(wire.events)
    listen(wire, loud(0.5))
    events = wire.events[start:]
    order = [e["type"] for e in events]
    done = order.index("response.done")
    assert order.index("input_audio_buffer.speech_started") < done < order.index("output_audio_buffer.cleared")
    assert only(events, "response.done")["response"]["status"] == "cancelled"
    truncated = only(events, "conversation.item.truncated")
    assert truncated["audio_end_ms"] == pytest.approx(3700, abs=60)
    assert len(wire.commands_of(Hush)) == 1


@reported
def test_barge_in_after_the_response_is_done():
    """A response that is done and still sounds is cut as well."""
    wire = call(STORY, hears=["stop"])
    wire.send(CREATE)
    wire.wait(3)
    only(wire.events, "response.done")
    listen(wire, loud(0.5))
    only(wire.events, "output_audio_buffer.cleared")
    only(wire.events, "conversation.item.truncated")
    wire.wait(20)
    assert of(wire.events, "output_audio_buffer.stopped") == []


def test_client_clears_the_output():
    """``output_audio_buffer.clear`` cuts what plays; where nothing plays it does nothing."""
    wire = call(STORY)
    assert wire.send({"type": "output_audio_buffer.clear"}) == []
    wire.send(CREATE)
    wire.wait(1)
    events = wire.send({"type": "response.cancel"}, {"type": "output_audio_buffer.clear"})
    assert types(events)[-2:] == ["output_audio_buffer.cleared", "conversation.item.truncated"]
    assert events[-2]["response_id"] == only(events, "response.done")["response"]["id"]
    assert wire.send({"type": "output_audio_buffer.clear"}) == []


def test_spoken_turn_in_a_call():
    """The caller's sound comes by ``hear``, and turns are detected in it."""
    wire = call("Sunny.", hears=["what is the weather"])
    listen(wire, np.concatenate((loud(1), quiet(1))))
    wire.wait(10)
    assert only(wire.events, "response.done")["response"]["output"][0]["content"][0]["transcript"] == "Sunny."


def test_keys_of_a_telephone():
    """A key that is pressed gives an event without an id."""
    wire = call()
    wire.wait(5)
    (event,) = wire.dial("#")
    check_event(event)
    assert event == {"type": "input_audio_buffer.dtmf_event_received", "event": "#", "received_at": 1_700_000_005}


@pytest.mark.parametrize("key", ["", "E", "12"])
def test_what_is_no_key(key):
    """What no telephone can send is refused in a sentence."""
    with pytest.raises(ValueError, match="is no key of a telephone: press one of 0123456789"):
        call().dial(key)


@reported
def test_plain_socket_has_no_output_buffer():
    """At a plain WebSocket the client plays, and the event for it is none of those that are known."""
    (error,) = Wire().send({"type": "output_audio_buffer.clear"})
    assert (error["error"]["code"], error["error"]["param"]) == ("invalid_value", "type")
    assert "output_audio_buffer.clear'" not in error["error"]["message"].partition("Supported")[2]
