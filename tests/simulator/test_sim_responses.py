"""Responses: their order, their pace, their overrides and their ends."""

import base64
import json

import numpy as np
import pytest

from openai_realtime_api_utils.audio import g711
from openai_realtime_api_utils.simulator.commands import Stop, Think, Thought
from openai_realtime_api_utils.simulator.engine import RATE, Call, Fail, Say
from openai_realtime_api_utils.simulator.settings import Settings
from openai_realtime_api_utils.simulator.synthetic import synthetic_speech
from simulated import Wire, append, loud, of, only, types, update, user_says

CREATE = {"type": "response.create"}
TEXT = update(output_modalities=["text"])
STORY = "Once upon a time there was a king who had three daughters, and the youngest of them loved to sing. "


def create(**response):
    return {"type": "response.create", "response": response}


def sound(events):
    data = b"".join(base64.b64decode(e["delta"]) for e in of(events, "response.output_audio.delta"))
    return np.frombuffer(data, "<i2")


def test_speech_is_all_there():
    """The audio deltas are the engine's speech, sample for sample, and the transcript deltas are its text."""
    wire = Wire([[STORY, "The end."]])
    wire.send(CREATE)
    events = wire.wait(20)
    assert np.array_equal(sound(events), np.concatenate((synthetic_speech(STORY), synthetic_speech("The end."))))
    deltas = of(events, "response.output_audio_transcript.delta")
    assert "".join(e["delta"] for e in deltas) == STORY + "The end."
    assert only(events, "response.output_audio_transcript.done")["transcript"] == STORY + "The end."


@pytest.mark.reported
def test_speech_comes_faster_than_it_sounds():
    """At the default pace 3 to 5 seconds of speech come inside the first second after the first delta."""
    wire = Wire([STORY * 3])
    wire.send(CREATE)
    wire.wait(30)
    audio = [(t, e) for t, e in zip(wire.times, wire.events, strict=True) if e["type"] == "response.output_audio.delta"]
    first = audio[0][0]
    assert 3 <= len(sound(e for t, e in audio if t < first + 1)) / RATE <= 5
    assert all(0.1 <= len(sound([e])) / RATE <= 0.4 for _, e in audio[:-1])


@pytest.mark.parametrize("pace", [1.0, 10.0])
def test_pace_is_settable(pace):
    """All of the speech takes its length divided by the pace."""
    wire = Wire([STORY], settings=Settings(pace=pace, first_audio_s=0.5))
    wire.send(CREATE)
    wire.wait(30)
    at = dict(zip(types(wire.events), wire.times, strict=False))
    times = {e["type"]: t for e, t in zip(wire.events, wire.times, strict=True)}
    assert at["session.created"] == 100
    assert times["response.output_item.added"] == pytest.approx(100.5)
    assert times["response.done"] == pytest.approx(100.5 + len(STORY) * 0.06 / pace)


def test_transcript_keeps_step_with_the_sound():
    """No word comes after its own sound by more than a delta, nor a second ahead of it."""
    wire = Wire([STORY])
    wire.send(CREATE)
    heard_s, said = 0.0, 0
    for event in wire.wait(20):
        if event["type"] == "response.output_audio.delta":
            heard_s += len(sound([event])) / RATE
        elif event["type"] == "response.output_audio_transcript.delta":
            assert heard_s - 0.5 <= said * 0.06 + 0.4
            assert said * 0.06 <= heard_s + 0.8
            said += len(event["delta"])


def test_words_come_before_the_first_sound():
    """A few transcript deltas precede the first audio."""
    wire = Wire([STORY])
    wire.send(CREATE)
    order = types(wire.wait(20))
    assert order.index("response.output_audio_transcript.delta") < order.index("response.output_audio.delta")


def test_padding_hides_the_length():
    """Text deltas carry padding to whole blocks of 16; audio deltas carry none."""
    wire = Wire(["Hello there.", [Call("f", {"a": 1})]])
    wire.send(CREATE)
    events = wire.wait(5)
    wire.send(CREATE)
    events += wire.wait(5)
    padded = [e for e in events if e["type"].endswith(".delta") and "output_audio.delta" not in e["type"]]
    assert {(len(e["delta"]) + len(e["obfuscation"])) % 16 for e in padded} == {0}
    assert not any("obfuscation" in e for e in of(events, "response.output_audio.delta"))


@pytest.mark.reported
def test_cancel():
    """A client's cancel ends the response at once; nothing of it comes later, and the engine is stopped."""
    wire = Wire(answers=False)
    (created,) = wire.send(CREATE)
    events = wire.send({"type": "response.cancel", "response_id": created["response"]["id"]})
    assert types(events) == ["response.done", "rate_limits.updated"]
    assert events[0]["response"]["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert [c.response_id for c in wire.commands_of(Stop)] == [created["response"]["id"]]
    assert wire.feed(Thought(created["response"]["id"], Say("late"))) == wire.wait(5) == []


@pytest.mark.reported
def test_cancelled_item_stays_as_far_as_it_came():
    """What was said until then is the item's transcript, and its sound can be truncated."""
    wire = Wire([STORY])
    wire.send(CREATE)
    wire.wait(1)
    events = wire.send({"type": "response.cancel"})
    item = only(events, "conversation.item.done")["item"]
    assert item["status"] == "incomplete"
    assert STORY.startswith(item["content"][0]["transcript"])
    assert 0 < len(item["content"][0]["transcript"]) < len(STORY)
    entry = wire.session.conversation.find(item["id"])
    assert entry.n_samples == len(sound(wire.events))


@pytest.mark.reported
def test_out_of_band():
    """A response beside the conversation leaves no trace in it, and runs in parallel."""
    wire = Wire([STORY, "yes"])
    wire.send(CREATE)
    (created,) = wire.send(create(conversation="none", output_modalities=["text"], metadata={"kind": "check"}))
    assert created["response"]["conversation_id"] is None
    assert created["response"]["metadata"] == {"kind": "check"}
    events = [e for e in wire.wait(20) if created["response"]["id"] in json.dumps(e)]
    assert only(events, "response.done")["response"]["output"][0]["content"] == [{"type": "output_text", "text": "yes"}]
    assert [e["type"] for e in events if e["type"].startswith("conversation.")] == []
    assert len(wire.session.conversation.entries) == 1


def test_out_of_band_is_not_interrupted():
    """Speech cancels only what writes to the conversation."""
    wire = Wire([STORY])
    wire.send(create(conversation="none"))
    wire.wait(0.5)
    events = wire.send(append(loud(0.2)))
    assert types(events) == ["input_audio_buffer.speech_started"]


def test_cancel_of_an_out_of_band_response():
    """It is cancelled by its id, and only so."""
    wire = Wire([STORY])
    (created,) = wire.send(create(conversation="none"))
    assert wire.send({"type": "response.cancel"})[0]["error"]["code"] == "response_cancel_not_active"
    events = wire.send({"type": "response.cancel", "response_id": created["response"]["id"]})
    assert events[0]["response"]["status"] == "cancelled"


def test_input_replaces_the_context():
    """With ``input`` the model sees that and nothing else; references bring items of the conversation in."""
    wire = Wire()
    item_id = wire.send(user_says("first"))[0]["item"]["id"]
    wire.send(user_says("second"))
    other = user_says("third")["item"]
    wire.send(create(input=[{"type": "item_reference", "id": item_id}, other]))
    (think,) = wire.commands_of(Think)
    assert [item["content"][0]["text"] for item in think.turn.items] == ["first", "third"]


def test_empty_input():
    """``input: []`` gives the model nothing, and its answer still joins the conversation."""
    wire = Wire()
    wire.send(user_says("hello"), create(input=[]))
    assert list(wire.commands_of(Think)[0].turn.items) == []
    wire.wait(5)
    assert [e.item["role"] for e in wire.session.conversation.entries] == ["user", "assistant"]


def test_overrides_last_for_one_response():
    """What a response sets for itself, the next one knows nothing of."""
    wire = Wire()
    wire.send(create(instructions="Whisper.", output_modalities=["text"], tool_choice="none"))
    wire.wait(5)
    wire.send(CREATE)
    first, second = wire.commands_of(Think)
    assert (first.turn.instructions, first.turn.modality, first.turn.tool_choice) == ("Whisper.", "text", "none")
    assert second.turn.instructions == wire.session.config["instructions"]
    assert (second.turn.modality, second.turn.tool_choice) == ("audio", "auto")


def test_own_voice_and_format():
    """A response may have its own voice and format."""
    wire = Wire(["Hello."])
    (created,) = wire.send(create(audio={"output": {"voice": {"id": "voice_1"}, "format": {"type": "audio/pcmu"}}}))
    assert created["response"]["audio"]["output"] == {"format": {"type": "audio/pcmu"}, "voice": "voice_1"}
    assert wire.commands_of(Think)[0].voice == "voice_1"


@pytest.mark.parametrize("law", ["audio/pcmu", "audio/pcma"])
def test_telephone_sound_out(law):
    """G.711 goes out at 8 kHz, as long as the speech and about as loud."""
    wire = Wire([STORY])
    wire.send(update(audio={"output": {"format": {"type": law}}}), CREATE)
    data = b"".join(base64.b64decode(e["delta"]) for e in of(wire.wait(20), "response.output_audio.delta"))
    speech = synthetic_speech(STORY).astype(float)
    heard = g711.decode(data, law).astype(float)
    assert abs(len(heard) - len(speech) / 3) <= 2
    assert np.sqrt((heard**2).mean()) == pytest.approx(np.sqrt((speech**2).mean()), rel=0.1)


def test_parallel_calls():
    """Several calls are several items of one response, each with its own call id."""
    wire = Wire([[Call("f", {"a": 1}), Call("g")]])
    wire.send(TEXT, CREATE)
    events = wire.wait(5)
    done = of(events, "response.function_call_arguments.done")
    assert [(e["name"], e["arguments"], e["output_index"]) for e in done] == [("f", '{"a":1}', 0), ("g", "{}", 1)]
    assert len({e["call_id"] for e in done}) == 2
    assert [i["type"] for i in only(events, "response.done")["response"]["output"]] == ["function_call"] * 2


def test_commentary_interleaves_with_the_call():
    """On 2.x models the message before a call is closed only after the call's arguments."""
    wire = Wire([[Say("One moment.", "commentary"), Call("f", {"a": 1})]], model="gpt-realtime-2.1")
    wire.send(TEXT, CREATE)
    order = types(wire.wait(5))
    assert order.index("response.function_call_arguments.delta") < order.index("response.output_text.done")
    assert order.index("response.output_text.done") < order.index("response.function_call_arguments.done")
    phases = [e["item"].get("phase") for e in of(wire.events, "response.output_item.added")]
    assert phases == ["commentary", None]


def test_first_generation_has_no_phase():
    """gpt-realtime closes a message before the call, and its items have no phase."""
    wire = Wire([["One moment.", Call("f", {"a": 1})]], model="gpt-realtime")
    wire.send(TEXT, CREATE)
    order = types(wire.wait(5))
    assert order.index("response.output_text.done") < order.index("response.function_call_arguments.delta")
    assert "phase" not in of(wire.events, "response.output_item.added")[0]["item"]


def test_tool_round():
    """The model sees its call and what came of it."""
    wire = Wire([Call("f", {"a": 1}), "It is so."])
    wire.send(TEXT, user_says("is it so?"), CREATE)
    call_id = only(wire.wait(5), "response.function_call_arguments.done")["call_id"]
    output = {"type": "function_call_output", "call_id": call_id, "output": "yes"}
    added, done = wire.send({"type": "conversation.item.create", "item": output})
    assert added["item"] == done["item"] == {"id": added["item"]["id"], **output}
    wire.send(CREATE)
    items = wire.commands_of(Think)[1].turn.items
    assert [item["type"] for item in items] == ["message", "function_call", "function_call_output"]


@pytest.mark.reported
def test_failed_response():
    """A failure closes what was open and says what happened; the conversation goes on."""
    wire = Wire([["Well, ", Fail("server_error", "The model is down.")], "Hello."])
    wire.send(TEXT, CREATE)
    events = wire.wait(5)
    response = only(events, "response.done")["response"]
    error = {"type": "server_error", "code": "server_error", "message": "The model is down."}
    assert (response["status"], response["status_details"]) == ("failed", {"type": "failed", "error": error})
    assert response["output"][0]["status"] == "incomplete"
    wire.send(CREATE)
    assert only(wire.wait(5), "response.done")["response"]["status"] == "completed"


@pytest.mark.reported
def test_token_limit():
    """A response that reaches its limit stops there, incomplete."""
    wire = Wire([STORY])
    wire.send(TEXT, create(max_output_tokens=5))
    events = wire.wait(5)
    response = only(events, "response.done")["response"]
    assert response["status_details"] == {"type": "incomplete", "reason": "max_output_tokens"}
    assert len(of(events, "response.output_text.delta")) == 5
    assert response["output"][0]["status"] == "incomplete"


def test_response_with_nothing_to_say():
    """A model that thinks nothing completes with no output."""
    wire = Wire([[]])
    wire.send(CREATE)
    response = only(wire.wait(5), "response.done")["response"]
    assert (response["status"], response["output"]) == ("completed", [])


def test_usage_adds_up():
    """Totals are the sums of their parts; the assistant's speech costs a token per 50 ms, the user's per 100."""
    wire = Wire([STORY, "Yes."])
    wire.speak(2, 1)
    wire.wait(20)
    first = only(wire.events, "response.done")["response"]["usage"]
    user_ms = wire.session.conversation.entries[0].audio_ms
    assert first["input_token_details"]["audio_tokens"] == user_ms // 100
    assert first["output_token_details"]["audio_tokens"] == -(-len(STORY) * 60 // 50)
    wire.send(CREATE)
    second = only(wire.wait(20), "response.done")["response"]["usage"]
    for usage in (first, second):
        parts = usage["input_token_details"]
        assert usage["input_tokens"] == parts["text_tokens"] + parts["audio_tokens"]
        assert usage["output_tokens"] == sum(usage["output_token_details"].values())
        assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
        assert parts["cached_tokens"] == sum(parts["cached_tokens_details"].values()) <= usage["input_tokens"]
    assert first["input_token_details"]["cached_tokens"] == 0
    assert second["input_token_details"]["cached_tokens"] > 0


def test_rate_limits_come_last():
    """Each response is followed by the rate limits."""
    wire = Wire()
    wire.send(CREATE)
    events = wire.wait(5)
    assert [e["type"] for e in events[-2:]] == ["response.done", "rate_limits.updated"]
    (limit,) = events[-1]["rate_limits"]
    assert limit["name"] == "tokens"
    assert limit["remaining"] == limit["limit"] - events[-2]["response"]["usage"]["total_tokens"]


def test_items_may_be_deleted_while_they_are_made():
    """The response goes on, and the conversation stays without the item."""
    wire = Wire([STORY])
    wire.send(CREATE)
    item_id = only(wire.wait(1), "conversation.item.added")["item"]["id"]
    wire.send({"type": "conversation.item.delete", "item_id": item_id})
    events = wire.wait(20)
    assert of(events, "conversation.item.done") == []
    assert only(events, "response.done")["response"]["status"] == "completed"
    assert wire.session.conversation.entries == []
