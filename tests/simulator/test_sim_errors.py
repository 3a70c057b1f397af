"""Each refusal of the service: its code, message and parameter, and a session that goes on."""

import base64
import json

import pytest

from simulated import Wire, append, loud, only, quiet, update, user_says

reported = pytest.mark.reported

NO_SUCH = "item_doesNotExist"


def create(item):
    return {"type": "conversation.item.create", "item": item}


def supported(*names):
    return f"Supported values are: {', '.join(repr(name) for name in names[:-1])}, and {names[-1]!r}."


CASES = {
    "no type": ({"event_id": "mine"}, "invalid_event", None, "The 'type' field is missing."),
    "unknown session field": (
        update(voice="alloy"),
        "unknown_parameter",
        "session.voice",
        "Unknown parameter: 'session.voice'.",
    ),
    "unknown field within": (
        update(audio={"input": {"turn_detection": {"type": "server_vad", "treshold": 0.5}}}),
        "unknown_parameter",
        "session.audio.input.turn_detection.treshold",
        "Unknown parameter: 'session.audio.input.turn_detection.treshold'.",
    ),
    "update without type": (
        {"type": "session.update", "session": {"instructions": "x"}},
        "missing_required_parameter",
        "session.type",
        "Missing required parameter: 'session.type'.",
    ),
    "update without session": (
        {"type": "session.update"},
        "missing_required_parameter",
        "session",
        "Missing required parameter: 'session'.",
    ),
    "bad enum": (
        update(audio={"input": {"transcription": {"model": "whisper-1", "delay": "slow"}}}),
        "invalid_value",
        "session.audio.input.transcription.delay",
        "Invalid value: 'slow'. " + supported("minimal", "low", "medium", "high", "xhigh"),
    ),
    "transcription without a model": (
        update(audio={"input": {"transcription": {"language": "en"}}}),
        "missing_required_parameter",
        "session.audio.input.transcription.model",
        "Missing required parameter: 'session.audio.input.transcription.model'.",
    ),
    "prompt for a transcriber that takes none": (
        update(audio={"input": {"transcription": {"model": "gpt-realtime-whisper", "prompt": "x"}}}),
        "invalid_value",
        "session.audio.input.transcription.prompt",
        "The 'prompt' parameter is not supported with gpt-realtime-whisper.",
    ),
    "flag of a wrong type": (
        update(audio={"input": {"turn_detection": {"type": "server_vad", "create_response": "yes"}}}),
        "invalid_type",
        "session.audio.input.turn_detection.create_response",
        "Invalid type for 'session.audio.input.turn_detection.create_response': "
        "expected a boolean, but got a string instead.",
    ),
    "both modalities": (
        update(output_modalities=["text", "audio"]),
        "invalid_value",
        "session.output_modalities",
        "Invalid modalities: ['text', 'audio']. Supported combinations are: ['text'] and ['audio'].",
    ),
    "instructions of a wrong type": (
        update(instructions=5),
        "invalid_type",
        "session.instructions",
        "Invalid type for 'session.instructions': expected a string, but got an integer instead.",
    ),
    "threshold out of range": (
        update(audio={"input": {"turn_detection": {"type": "server_vad", "threshold": 1.5}}}),
        "invalid_value",
        "session.audio.input.turn_detection.threshold",
        "Invalid 'session.audio.input.turn_detection.threshold': expected a value from 0 to 1, but got 1.5 instead.",
    ),
    "PCM of another rate": (
        update(audio={"output": {"format": {"type": "audio/pcm", "rate": 16000}}}),
        "invalid_value",
        "session.audio.output.format.rate",
        "Invalid 'session.audio.output.format.rate': expected a value from 24000 to 24000, but got 16000 instead.",
    ),
    "transcription session": (
        {"type": "session.update", "session": {"type": "transcription"}},
        "invalid_parameter",
        None,
        "Passing a transcription session update event to a realtime session is not allowed.",
    ),
    "append without audio": (
        {"type": "input_audio_buffer.append"},
        "missing_required_parameter",
        "audio",
        "Missing required parameter: 'audio'.",
    ),
    "append of no base64": (
        {"type": "input_audio_buffer.append", "audio": "!!"},
        "invalid_value",
        "audio",
        "Invalid 'audio'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got an invalid value.",
    ),
    "append of nothing": (
        {"type": "input_audio_buffer.append", "audio": ""},
        "invalid_value",
        "audio",
        "Invalid 'audio'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got empty bytes.",
    ),
    "nothing to cancel": (
        {"type": "response.cancel"},
        "response_cancel_not_active",
        None,
        "Cancellation failed: no active response found",
    ),
    "cancel of another response": (
        {"type": "response.cancel", "response_id": "resp_1"},
        "response_cancel_not_active",
        None,
        "Cancellation failed: no active response found",
    ),
    "delete of no item": (
        {"type": "conversation.item.delete", "item_id": NO_SUCH},
        "item_delete_invalid_item_id",
        None,
        f"Error deleting item: the item with id '{NO_SUCH}' does not exist.",
    ),
    "retrieve of no item": (
        {"type": "conversation.item.retrieve", "item_id": NO_SUCH},
        "item_retrieve_invalid_item_id",
        None,
        f"Error retrieving item: the item with id '{NO_SUCH}' does not exist.",
    ),
    "truncate of no item": (
        {"type": "conversation.item.truncate", "item_id": NO_SUCH, "content_index": 0, "audio_end_ms": 0},
        "item_truncate_invalid_item_id",
        None,
        f"Error truncating item: the item with id '{NO_SUCH}' does not exist.",
    ),
    "truncate to no number": (
        {"type": "conversation.item.truncate", "item_id": NO_SUCH, "content_index": 0, "audio_end_ms": "x"},
        "invalid_type",
        "audio_end_ms",
        "Invalid type for 'audio_end_ms': expected an integer, but got a string instead.",
    ),
    "truncate without an end": (
        {"type": "conversation.item.truncate", "item_id": NO_SUCH, "content_index": 0},
        "missing_required_parameter",
        "audio_end_ms",
        "Missing required parameter: 'audio_end_ms'.",
    ),
    "insert after no item": (
        user_says("x", previous_item_id=NO_SUCH),
        "item_create_invalid_previous_item_id",
        None,
        f"Error adding item: the previous item with id '{NO_SUCH}' does not exist.",
    ),
    "item of unknown type": (
        create({"type": "note"}),
        "invalid_value",
        "item.type",
        "Invalid value: 'note'. "
        + supported(
            "message",
            "function_call",
            "function_call_output",
            "mcp_approval_response",
            "mcp_list_tools",
            "mcp_approval_request",
            "mcp_call",
        ),
    ),
    "item without a role": (
        create({"type": "message", "content": []}),
        "missing_required_parameter",
        "item.role",
        "Missing required parameter: 'item.role'.",
    ),
    "seeded assistant audio": (
        create({"type": "message", "role": "assistant", "content": [{"type": "output_audio", "audio": "AAAA"}]}),
        "invalid_value",
        "item.content[0].type",
        "Invalid value: 'output_audio'. Supported values are: 'output_text'.",
    ),
    "an id that is too long": (
        create({"type": "message", "id": "i" * 33, "role": "user", "content": []}),
        "string_above_max_length",
        "item.id",
        "Invalid 'item.id': string too long. Expected a string with maximum length 32, "
        "but got a string with length 33 instead.",
    ),
    "output of no call": (
        create({"type": "function_call_output", "call_id": "call_1", "output": "x"}),
        "invalid_tool_call_id",
        None,
        "Tool call ID not found in conversation",
    ),
    "unknown response field": (
        {"type": "response.create", "response": {"temperature": 1}},
        "unknown_parameter",
        "response.temperature",
        "Unknown parameter: 'response.temperature'.",
    ),
    "reference to no item": (
        {"type": "response.create", "response": {"input": [{"type": "item_reference", "id": NO_SUCH}]}},
        "invalid_value",
        "response.input[0].id",
        f"Error referencing item: the item with id '{NO_SUCH}' does not exist.",
    ),
    "too much metadata": (
        {"type": "response.create", "response": {"metadata": {str(i): "x" for i in range(17)}}},
        "object_above_max_properties",
        "response.metadata",
        "Invalid 'response.metadata': too many properties. Expected an object with at most 16 properties, "
        "but got an object with 17 properties instead.",
    ),
}


@reported
@pytest.mark.parametrize("name", CASES)
def test_refusal(name):
    """What is wrong is answered with one ``error`` event that names the client's event."""
    event, code, param, message = CASES[name]
    wire = Wire()
    (answer,) = wire.send({"event_id": "mine", **event})
    assert answer["type"] == "error"
    assert answer["error"] == {
        "type": "invalid_request_error",
        "code": code,
        "message": message,
        "param": param,
        "event_id": "mine",
    }


@reported
@pytest.mark.parametrize("name", CASES)
def test_session_survives(name):
    """After any refusal the session is what it was, and answers."""
    wire = Wire()
    before = json.dumps(wire.session.config)
    wire.send(CASES[name][0])
    assert json.dumps(wire.session.config) == before
    assert wire.session.conversation.entries == []
    wire.send(user_says("hello"), {"type": "response.create"})
    assert only(wire.wait(20), "response.done")["response"]["status"] == "completed"


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ("{", "The frame is not valid JSON: send one JSON object."),
        ("", "The frame is not valid JSON: send one JSON object."),
        ("[" * 100_000, "The frame is not valid JSON: send one JSON object."),
        ("[1]", "The event is not a JSON object: send one."),
        ("null", "The event is not a JSON object: send one."),
        (b"\x00\x01", "Binary frames are not supported: send events as text."),
    ],
)
@reported
def test_frames_that_are_no_events(frame, message):
    """A frame that is no event gets an ``error`` event, which names none."""
    (answer,) = Wire().send_text(frame)
    assert (answer["error"]["code"], answer["error"]["message"]) == ("invalid_event", message)
    assert answer["error"]["event_id"] is None


@pytest.mark.parametrize("kind", ["response.go", "output_audio_buffer.clear", 5, None, [], {}])
def test_unknown_event_type(kind):
    """An unknown type is answered with the list of those that are known."""
    (answer,) = Wire().send({"type": kind, "event_id": "mine"})
    assert answer["error"]["event_id"] == "mine"
    if kind is not None:
        assert (answer["error"]["code"], answer["error"]["param"]) == ("invalid_value", "type")
        assert answer["error"]["message"].startswith(f"Invalid value: '{kind}'. Supported values are: 'session.update'")


@reported
def test_append_of_sixteen_mebibytes():
    """An append above 15 MiB is refused, and nothing of it is kept."""
    wire = Wire()
    audio = base64.b64encode(bytes(16 * 1024 * 1024)).decode()
    (answer,) = wire.send({"type": "input_audio_buffer.append", "audio": audio})
    assert (answer["error"]["code"], answer["error"]["param"]) == ("string_above_max_length", "audio")
    assert wire.send(append(quiet(0.1))) == []


def test_append_of_fifteen_mebibytes():
    """An append of 15 MiB is taken."""
    audio = base64.b64encode(bytes(15 * 1024 * 1024)).decode()
    assert Wire().send({"type": "input_audio_buffer.append", "audio": audio}) == []


@reported
def test_commit_of_too_little():
    """A commit of under 100 ms is refused, after the answers to what was sent since."""
    wire = Wire()
    wire.send(update(audio={"input": {"turn_detection": None}}))
    assert wire.send(append(loud(0.05)), {"type": "input_audio_buffer.commit", "event_id": "c"}) == []
    assert wire.send({"type": "input_audio_buffer.clear"})[0]["type"] == "input_audio_buffer.cleared"
    error = only(wire.wait(2), "error")["error"]
    assert error == {
        "type": "invalid_request_error",
        "code": "input_audio_buffer_commit_empty",
        "message": "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
        "but buffer only has 50.00ms of audio.",
        "param": None,
        "event_id": "c",
    }


@reported
def test_second_response():
    """A second response that would write to the conversation is refused while one is active."""
    wire = Wire()
    (created,) = wire.send({"type": "response.create"})
    (answer,) = wire.send({"type": "response.create"})
    assert answer["error"]["code"] == "conversation_already_has_active_response"
    assert answer["error"]["message"] == (
        f"Conversation already has an active response in progress: {created['response']['id']}. "
        "Wait until the response is finished before creating a new one."
    )


@reported
def test_voice_is_locked():
    """The voice cannot change once the assistant has spoken; saying the same one again is no change."""
    wire = Wire()
    voice = wire.session.config["audio"]["output"]["voice"]
    assert wire.send(update(audio={"output": {"voice": "cedar"}}))[0]["type"] == "session.updated"
    wire.send({"type": "response.create"})
    wire.wait(5)
    (answer,) = wire.send(update(instructions="x", audio={"output": {"voice": voice}}))
    assert answer["error"]["code"] == "cannot_update_voice"
    assert answer["error"]["message"] == "Cannot update a conversation's voice if assistant audio is present."
    assert wire.session.config["instructions"] != "x"
    assert wire.send(update(audio={"output": {"voice": "cedar"}}))[0]["type"] == "session.updated"


def spoken(wire):
    wire.send({"type": "response.create"})
    return only(wire.wait(20), "response.output_item.done")["item"]["id"]


def truncate(item_id, ms, index=0):
    return {"type": "conversation.item.truncate", "item_id": item_id, "content_index": index, "audio_end_ms": ms}


@reported
def test_truncate_beyond_the_end():
    """A truncation beyond the end says how long the audio is, after an earlier truncation too."""
    wire = Wire(["A sentence that takes a while to say."])
    item_id = spoken(wire)
    (answer,) = wire.send(truncate(item_id, 3000))
    assert answer["error"]["message"] == "Audio content of 2220ms is already shorter than 3000ms"
    assert answer["error"]["code"] == "invalid_value"
    wire.send(truncate(item_id, 1000))
    (answer,) = wire.send(truncate(item_id, 1001))
    assert answer["error"]["message"] == "Audio content of 1000ms is already shorter than 1001ms"


@reported
def test_truncate_what_is_no_audio():
    """Only audio of the assistant's can be truncated."""
    wire = Wire()
    item_id = wire.send(user_says("hello"))[0]["item"]["id"]
    (answer,) = wire.send(truncate(item_id, 0))
    assert answer["error"]["message"] == "Only model output audio messages can be truncated"


@reported
def test_session_expires():
    """After an hour there is an error without a cause, and the connection is closed with 1001."""
    wire = Wire()
    (error,) = wire.wait(3600)
    assert error["error"] == {
        "type": "invalid_request_error",
        "code": "session_expired",
        "message": "Your session hit the maximum duration of 60 minutes.",
        "param": None,
        "event_id": None,
    }
    (close,) = wire.commands
    assert (close.code, close.reason) == (1001, "Your session hit the maximum duration of 60 minutes.")
