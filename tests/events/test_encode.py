"""Encoding: the same meaning as the SDK's bytes, as text."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import (
    ConversationItemCreateEvent,
    RealtimeClientEvent,
    RealtimeFunctionTool,
    RealtimeSessionCreateRequest,
    ResponseCreateEvent,
    SessionUpdateEvent,
)

from openai_realtime_api_utils.errors import LocalProtocolError
from openai_realtime_api_utils.events import as_dict, encode

MESSAGE = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": 'naïve \u2028 "quoted"'}]}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {"x": {"type": ["null"]}}}}
EVENTS = [
    {"type": "conversation.item.create", "item": MESSAGE, "previous_item_id": "root"},
    {"type": "conversation.item.delete", "item_id": "i"},
    {"type": "conversation.item.retrieve", "item_id": "i", "event_id": "e"},
    {"type": "conversation.item.truncate", "item_id": "i", "content_index": 0, "audio_end_ms": 1500},
    {"type": "input_audio_buffer.append", "audio": "AAAA"},
    {"type": "input_audio_buffer.append", "audio": "AAAA", "event_id": "evt_1"},
    {"type": "input_audio_buffer.clear"},
    {"type": "output_audio_buffer.clear"},
    {"type": "input_audio_buffer.commit"},
    {"type": "response.cancel", "response_id": "r"},
    {"type": "response.create", "response": {"metadata": {"a": "b"}, "tools": [TOOL], "input": [MESSAGE]}},
    {"type": "session.update", "session": {"type": "realtime", "tools": [TOOL], "audio": {"input": {"format": None}}}},
]


class Socket:
    """Keep what the SDK would have sent."""

    data: object = None

    async def send(self, data):
        self.data = data


@pytest.mark.parametrize("event", EVENTS, ids=lambda e: e["type"])
async def test_it_means_what_the_sdk_sends(event):
    """The JSON equals the SDK's, and is text, as the service demands."""
    socket = Socket()
    await AsyncRealtimeConnection(socket).send(event)
    assert isinstance(encode(event), str)
    assert isinstance(socket.data, str)
    assert json.loads(encode(event)) == json.loads(socket.data)


def test_every_client_event_of_the_sdk_is_tried():
    """The list above leaves no client event type out."""
    union = get_args(RealtimeClientEvent)[0]
    types = {get_args(model.model_fields["type"].annotation)[0] for model in get_args(union)}
    assert types == {event["type"] for event in EVENTS}


@pytest.mark.parametrize(
    "event",
    [
        SessionUpdateEvent(
            type="session.update", session=RealtimeSessionCreateRequest(type="realtime", instructions="")
        ),
        ResponseCreateEvent(type="response.create"),
        ConversationItemCreateEvent.model_validate({"type": "conversation.item.create", "item": MESSAGE}),
    ],
)
async def test_an_sdk_model_is_written_as_the_sdk_writes_it(event):
    """Only fields that were set are sent."""
    socket = Socket()
    await AsyncRealtimeConnection(socket).send(event)
    assert json.loads(encode(event)) == json.loads(socket.data)


def test_models_inside_a_dict_are_written():
    """A dict may hold SDK models, as the SDK's own resource methods allow."""
    tool = RealtimeFunctionTool(type="function", name="f")
    written = json.loads(encode({"type": "session.update", "session": {"type": "realtime", "tools": [tool]}}))
    assert written["session"]["tools"] == [{"type": "function", "name": "f"}]


@given(st.text(), st.none() | st.text())
def test_any_text_survives_an_append(audio, event_id):
    """The short way of writing appends quotes what must be quoted."""
    event = {"type": "input_audio_buffer.append", "audio": audio}
    event |= {} if event_id is None else {"event_id": event_id}
    assert json.loads(encode(event)) == event


@pytest.mark.parametrize("value", [float("nan"), b"raw", {1, 2}, object()])
def test_what_json_cannot_say_is_refused(value):
    """The event is named in the refusal."""
    with pytest.raises(LocalProtocolError, match=r"response\.create cannot be written as JSON"):
        encode({"type": "response.create", "response": {"x": value}})


def test_a_dict_is_not_copied():
    """Handlers see the very dict that was sent; one that changes it makes its own copy."""
    event = EVENTS[0]
    assert as_dict(event) is event
