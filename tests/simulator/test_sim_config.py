"""What a session starts with, and what an update makes of it."""

import pytest

from simulated import Wire, only, update


def test_defaults_of_gpt_realtime():
    """The first generation ends turns after 200 ms and speaks as alloy."""
    session = Wire(model="gpt-realtime").events[0]["session"]
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 200
    assert session["audio"]["output"]["voice"] == "alloy"


@pytest.mark.parametrize("model", ["gpt-realtime-2.1", "gpt-realtime-2.1-mini"])
def test_defaults_of_the_second_generation(model):
    """The second generation ends turns after 500 ms and speaks as marin."""
    session = Wire(model=model).events[0]["session"]
    assert session["audio"]["input"]["turn_detection"]["silence_duration_ms"] == 500
    assert session["audio"]["output"]["voice"] == "marin"


def test_dated_first_generation_is_not_taken_for_the_second():
    """gpt-realtime-2025-08-28 is of the first generation."""
    assert Wire(model="gpt-realtime-2025-08-28").events[0]["session"]["audio"]["output"]["voice"] == "alloy"


def test_expires_after_an_hour():
    """``expires_at`` is an hour after the session began, and updates leave it."""
    wire = Wire()
    assert wire.events[0]["session"]["expires_at"] == 1_700_003_600
    assert wire.send(update(instructions="x"))[0]["session"]["expires_at"] == 1_700_003_600


def test_update_changes_only_what_it_names():
    """An update is merged field by field, at every depth."""
    wire = Wire()
    before = wire.session.config
    (event,) = wire.send(update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 0.8}}}))
    after = event["session"]
    assert after["audio"]["input"]["turn_detection"] == {
        **before["audio"]["input"]["turn_detection"],
        "threshold": 0.8,
    }
    assert {k: v for k, v in after.items() if k != "audio"} == {k: v for k, v in before.items() if k != "audio"}
    assert after["audio"]["output"] == before["audio"]["output"]


def test_the_event_sent_before_is_not_changed_by_an_update():
    """An update makes a new session object; ``session.created`` keeps the old one."""
    wire = Wire()
    wire.send(update(instructions="x", audio={"input": {"turn_detection": None}}))
    assert wire.events[0]["session"]["audio"]["input"]["turn_detection"] is not None


@pytest.mark.reported
def test_refused_update_changes_nothing():
    """One bad field refuses the good ones too."""
    wire = Wire()
    wire.send(update(instructions="x", tool_choice="perhaps"))
    assert only(wire.events, "error")["error"]["param"] == "session.tool_choice"
    assert wire.session.config["instructions"] != "x"


def test_empty_instructions_bring_the_persona_back():
    """``""`` restores the default instructions, as in a recorded session."""
    wire = Wire()
    persona = wire.session.config["instructions"]
    wire.send(update(instructions="x"))
    assert wire.send(update(instructions=""))[0]["session"]["instructions"] == persona


def test_turn_detection_off_and_on():
    """null turns it off; turned on again it has its defaults."""
    wire = Wire()
    default = wire.session.config["audio"]["input"]["turn_detection"]
    (event,) = wire.send(update(audio={"input": {"turn_detection": None}}))
    assert event["session"]["audio"]["input"]["turn_detection"] is None
    (event,) = wire.send(update(audio={"input": {"turn_detection": {"type": "server_vad"}}}))
    assert event["session"]["audio"]["input"]["turn_detection"] == default


def test_semantic_vad():
    """Semantic VAD replaces the other kind's fields by its own."""
    (event,) = Wire().send(update(audio={"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "high"}}}))
    assert event["session"]["audio"]["input"]["turn_detection"] == {
        "type": "semantic_vad",
        "eagerness": "high",
        "create_response": True,
        "interrupt_response": True,
    }


def test_transcription_echo():
    """The echo has model, language and prompt; ``delay`` is taken and not shown."""
    (event,) = Wire().send(
        update(audio={"input": {"transcription": {"model": "gpt-realtime-whisper", "delay": "low"}}})
    )
    assert event["session"]["audio"]["input"]["transcription"] == {
        "model": "gpt-realtime-whisper",
        "language": None,
        "prompt": None,
    }


def test_reasoning_is_taken_and_not_shown():
    """``reasoning`` and ``parallel_tool_calls`` are not in the session that comes back."""
    wire = Wire()
    (event,) = wire.send(update(reasoning={"effort": "low"}, parallel_tool_calls=False))
    assert event["type"] == "session.updated"
    assert event["session"] == wire.events[0]["session"]


def test_g711_has_no_rate():
    """The telephone formats are echoed without a rate."""
    (event,) = Wire().send(update(audio={"output": {"format": {"type": "audio/pcmu"}}}))
    assert event["session"]["audio"]["output"]["format"] == {"type": "audio/pcmu"}


def test_tools_are_cleared():
    """An empty list clears the tools."""
    wire = Wire()
    tool = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
    assert wire.send(update(tools=[tool]))[0]["session"]["tools"] == [tool]
    assert wire.send(update(tools=[]))[0]["session"]["tools"] == []


def test_transcription_off():
    """null turns transcription off, and nothing of it is remembered."""
    wire = Wire()
    wire.send(update(audio={"input": {"transcription": {"model": "whisper-1", "language": "en"}}}))
    (event,) = wire.send(update(audio={"input": {"transcription": None}}))
    assert event["session"]["audio"]["input"]["transcription"] is None


def test_noise_reduction_keeps_its_strength():
    """An update that does not name the strength leaves it; null turns noise reduction off."""
    wire = Wire()
    for given, shown in [
        ({"type": "near_field", "strength": 0.5}, {"type": "near_field", "strength": 0.5}),
        ({"type": "far_field"}, {"type": "far_field", "strength": 0.5}),
        (None, None),
    ]:
        (event,) = wire.send(update(audio={"input": {"noise_reduction": given}}))
        assert event["session"]["audio"]["input"]["noise_reduction"] == shown


@pytest.mark.reported
def test_null_where_it_means_nothing():
    """Null in a field that cannot be cleared with it is as if the field were absent; LiveKit's client sends it."""
    wire = Wire(["Yes."])
    before = wire.events[0]["session"]
    (event,) = wire.send(update(instructions=None, tools=None, audio={"output": {"voice": None}}))
    assert event == {**event, "type": "session.updated", "session": before}
    created, *_ = wire.send({"type": "response.create", "response": {"instructions": None, "tool_choice": None}})
    assert created["type"] == "response.created"


@pytest.mark.reported
def test_model_that_the_connection_does_not_name():
    """The first update that names a model decides; from then on it is refused, as it is where the address named one."""
    wire = Wire()
    (event,) = wire.send(update(model="gpt-realtime", instructions="Be brief."))
    assert (event["session"]["model"], event["session"]["instructions"]) == ("gpt-realtime", "Be brief.")
    for each in (wire, Wire(model="gpt-realtime")):
        (refusal,) = each.send(update(model="gpt-realtime-2.1"))
        assert (refusal["error"]["code"], refusal["error"]["param"]) == ("invalid_value", "session.model")
