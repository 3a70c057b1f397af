"""Every event that the SDK knows: which of them the simulator takes, and which it sends."""

import base64
from typing import get_args

import numpy as np
from openai.types.realtime import (
    RealtimeClientEvent,
    RealtimeServerEvent,
    RealtimeTranslationClientEvent,
    RealtimeTranslationServerEvent,
)

from openai_realtime_api_utils.simulator.engine import Call, Fail, Say
from openai_realtime_api_utils.simulator.mcp_server import McpFailure, McpServer, McpTool
from openai_realtime_api_utils.simulator.settings import Settings
from simulated import Wire, append, loud, quiet, update, user_says

NEVER_SEEN = {"conversation.created", "conversation.item.created"}
"""Events that no recorded session has; the second is a name of the former beta."""
CREATE = {"type": "response.create"}
MCP_TOOL = {"type": "mcp", "server_label": "s", "server_url": "https://s.example", "require_approval": "never"}
SETTINGS = Settings(
    mcp_servers={"s": McpServer([McpTool("good", answer="Yes."), McpTool("bad", answer=McpFailure("No."))])}
)


def kinds(union):
    """Return the types of a union of the SDK's events."""
    events = get_args(get_args(union)[0])
    return {get_args(event.model_fields["type"].annotation)[0] for event in events}


def spoken():
    """Two turns of speech, transcribed, the second interrupting; then silence until the service checks on the user."""
    wire = Wire(["A long story. " * 30], hears=["hello", Fail("deaf", "What?"), ""], overhears=True)
    audio = {
        "input": {"transcription": {"model": "gpt-4o-transcribe-diarize"}, "turn_detection": {"idle_timeout_ms": 5000}}
    }
    wire.send(update(audio=audio))
    wire.speak()
    wire.wait(2)
    wire.speak()
    wire.wait(60)
    wire.send(append(quiet(0.1)), append(quiet(5.1)))
    wire.send({"type": "input_audio_buffer.clear"})
    wire.wait(20)
    item_id = next(e["item"]["id"] for e in wire.events if e["type"] == "response.output_item.done")
    on_item = {"item_id": item_id}
    wire.send({"type": "conversation.item.retrieve", **on_item})
    wire.send({"type": "conversation.item.truncate", **on_item, "content_index": 0, "audio_end_ms": 0})
    wire.send({"type": "conversation.item.delete", **on_item})
    return wire


def written():
    """Text, calls of functions and of MCP tools, and a refusal."""
    wire = Wire([[Say("Hm.", "commentary"), Call("f"), Call("good"), Call("bad")]], settings=SETTINGS)
    down = {"type": "mcp", "server_label": "down", "server_url": "https://down.example"}
    wire.send(update(output_modalities=["text"], tools=[MCP_TOOL, down]))
    wire.wait(1)
    wire.send(user_says("hello"), CREATE, {"type": "nonsense"})
    wire.wait(5)
    return wire


def called():
    """A call whose caller presses a key, listens, interrupts, and listens to the end."""
    wire = Wire(["A story. " * 9, "Yes."], hears=["stop"], call_id="rtc_1")
    wire.dial("1")
    wire.send(CREATE)
    wire.wait(1)
    for at in range(0, 48_000, 480):
        wire.hear(np.concatenate((loud(1), quiet(1)))[at : at + 480])
        wire.wait(0.02)
    wire.wait(10)
    return wire


def streamed():
    """A turn whose transcription streams, with its deltas."""
    wire = Wire(["Yes."], hears=["hello"], overhears=True)
    wire.send(update(audio={"input": {"transcription": {"model": "gpt-realtime-whisper"}}}))
    wire.speak()
    wire.wait(5)
    return wire


def test_every_server_event_is_sent():
    """The simulator sends all events of the SDK's union but two, which the service has not been seen to send."""
    sent = {event["type"] for wire in (spoken(), written(), called(), streamed()) for event in wire.events}
    assert kinds(RealtimeServerEvent) - sent == NEVER_SEEN
    assert sent <= kinds(RealtimeServerEvent)


def test_every_translation_event_is_sent():
    """So it does those of a translation."""
    wire = Wire(["Hola."], hears=["hello"], kind="translation")
    audio = {"input": {"transcription": {"model": "whisper-1"}}}
    wire.send({"type": "session.update", "session": {"audio": audio}}, {"type": "nonsense"})
    sound = np.concatenate((loud(1), quiet(1)))
    wire.send({"type": "session.input_audio_buffer.append", "audio": base64.b64encode(sound.tobytes()).decode()})
    wire.wait(1)
    wire.send({"type": "session.close"})
    wire.wait(5)
    assert {event["type"] for event in wire.events} == kinds(RealtimeTranslationServerEvent)


def test_every_client_event_is_taken():
    """The simulator takes all events of the SDK's unions, that of the output buffer in calls only, and no others."""
    assert set(Wire(call_id="rtc_1").session.handlers) == kinds(RealtimeClientEvent)
    assert set(Wire().session.handlers) == kinds(RealtimeClientEvent) - {"output_audio_buffer.clear"}
    assert set(Wire(kind="translation").session.handlers) == kinds(RealtimeTranslationClientEvent)
