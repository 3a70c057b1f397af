"""Say, event by event, what is done in each session that ``record_live.py`` records."""

from __future__ import annotations

import base64
import wave
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from openai_realtime_api_utils.audio.resample import resample
from openai_realtime_api_utils.simulator import questions

RATE = 24_000
CHUNK = RATE // 10
STORY = "Tell a story of about two hundred words, without asking anything first."
MCP = {
    "type": "mcp",
    "server_label": "deepwiki",
    "server_url": "https://mcp.deepwiki.com/mcp",
    "allowed_tools": ["read_wiki_structure"],
}
"""A public server that asks for no key, the one that the MCP guide uses."""
OVER = ("response.done", "error")


def update(**session: Any) -> dict[str, Any]:
    """Return a ``session.update``."""
    return {"type": "session.update", "session": {"type": "realtime", **session}}


def said(text: str, **fields: Any) -> dict[str, Any]:
    """Return a ``conversation.item.create`` of a user's message."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}], **fields}
    return {"type": "conversation.item.create", "item": item}


def speech() -> np.ndarray:
    """Return a shipped question with the pause after it: int16 at 24 kHz."""
    with wave.open(str(questions.path())) as sound:
        samples = np.frombuffer(sound.readframes(sound.getnframes()), np.int16)
        spoken = resample(samples, sound.getframerate(), RATE)
    return np.concatenate((spoken, np.zeros(RATE * 3 // 2, np.int16)))


async def speak(recorder: Any, samples: np.ndarray) -> None:
    """Append sound at the pace at which it sounds."""
    for at in range(0, len(samples), CHUNK):
        audio = base64.b64encode(samples[at : at + CHUNK].tobytes()).decode()
        await recorder.send({"type": "input_audio_buffer.append", "audio": audio})
        await recorder.pause(CHUNK / RATE)


async def answered(recorder: Any) -> str:
    """Have a short answer spoken; return the id of its item."""
    await recorder.send(said("Say: one, two, three."))
    done = await recorder.ask({"type": "response.create"}, *OVER)
    output = done.get("response", {}).get("output") or [{}]
    return output[0].get("id", "item_unknown")


def truncation(item_id: str, audio_end_ms: int, content_index: int = 0) -> dict[str, Any]:
    """Return a ``conversation.item.truncate``."""
    cut = {"item_id": item_id, "content_index": content_index, "audio_end_ms": audio_end_ms}
    return {"type": "conversation.item.truncate", **cut}


async def truncate(recorder: Any) -> None:
    """Truncate an answer twice, too far, at a part that is not there, and things that hold no answer."""
    answer = ("conversation.item.truncated", "error")
    item_id = await answered(recorder)
    await recorder.ask(truncation(item_id, 600_000), *answer)
    await recorder.ask(truncation(item_id, 500, content_index=1), *answer)
    await recorder.ask(truncation(item_id, 500), *answer)
    await recorder.ask(
        {"type": "conversation.item.retrieve", "item_id": item_id}, "conversation.item.retrieved", "error"
    )
    await recorder.ask(truncation(item_id, 400), *answer)
    await recorder.ask(truncation(item_id, 500), *answer)
    await recorder.ask(said("Hello.", id="item_of_the_user"), "conversation.item.done", "error")
    await recorder.ask(truncation("item_of_the_user", 100), *answer)
    await recorder.ask(truncation("item_unknown", 100), *answer)
    await recorder.send({"type": "response.create"})
    added = await recorder.until("response.output_item.added", "error")
    await recorder.ask(truncation(added.get("item", {}).get("id", "item_unknown"), 0), *answer)
    await recorder.until("response.done")


async def cancel(recorder: Any) -> None:
    """Cancel an answer while it is spoken, while it is written, before it begins, and where there is none."""
    await recorder.send(said(STORY))
    await recorder.ask({"type": "response.create"}, "response.output_audio.delta", "error")
    await recorder.ask({"type": "response.cancel"}, "response.done", "error")
    await recorder.ask({"type": "response.create"}, "response.created", "error")
    await recorder.ask({"type": "response.cancel"}, "response.done", "error")
    await recorder.send({"type": "response.create", "response": {"output_modalities": ["text"]}})
    created = await recorder.until("response.output_text.delta", "error")
    cancelling = {"type": "response.cancel", "response_id": created.get("response_id", "resp_unknown")}
    await recorder.ask(cancelling, "response.done", "error")
    await recorder.ask({"type": "response.cancel", "event_id": "nothing_to_cancel"}, "error")
    await recorder.ask({"type": "response.cancel", "response_id": "resp_unknown"}, "error")


async def barge_in(recorder: Any) -> None:
    """Speak while an answer is spoken, then truncate it where it was cut off; let the next answer come whole."""
    transcription = {"model": "gpt-realtime-whisper"}
    await recorder.ask(update(audio={"input": {"transcription": transcription}}), "session.updated", "error")
    await recorder.send(said(STORY))
    await recorder.send({"type": "response.create"})
    await recorder.until("response.output_audio.delta", "error")
    added = [each["data"] for each in recorder.interactions if each["data"]["type"] == "response.output_item.added"]
    await recorder.pause(1.0)
    await speak(recorder, speech())
    if added:
        await recorder.ask(truncation(added[0]["item"]["id"], 1_000), "conversation.item.truncated", "error")
    await recorder.until("response.done")


async def errors(recorder: Any) -> None:
    """Have the service refuse whatever it is known or supposed to refuse; each event bears a name of its own."""
    await answered(recorder)  # so that the voice is locked
    silence = base64.b64encode(bytes(2_400)).decode()
    refused: dict[str, dict[str, Any]] = {
        "unknown_type": {"type": "response.go"},
        "for_calls_only": {"type": "output_audio_buffer.clear"},
        "no_session_type": {"type": "session.update", "session": {"instructions": "x"}},
        "another_session_type": {"type": "session.update", "session": {"type": "transcription"}},
        "unknown_field": update(voice="alloy"),
        "bad_value": update(audio={"input": {"turn_detection": {"type": "loud_vad"}}}),
        "bad_type": update(instructions=5),
        "out_of_range": update(audio={"output": {"speed": 9}}),
        "null": update(instructions=None, tools=None, tool_choice=None),
        "both_modalities": update(output_modalities=["text", "audio"]),
        "another_model": update(model="gpt-realtime-1.5"),
        "voice_after_speech": update(audio={"output": {"voice": "cedar"}}),
        "bad_sound": {"type": "input_audio_buffer.append", "audio": "*"},
        "little_sound": {"type": "input_audio_buffer.append", "audio": silence},
        "commit_too_little": {"type": "input_audio_buffer.commit"},
        "long_id": said("Hello.", id="item_" + 40 * "x"),
        "unknown_predecessor": {**said("Hello."), "previous_item_id": "item_unknown"},
        "speech_of_the_assistant": {
            "type": "conversation.item.create",
            "item": {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "audio": silence}]},
        },
        "output_of_no_call": {
            "type": "conversation.item.create",
            "item": {"type": "function_call_output", "call_id": "call_unknown", "output": "x"},
        },
        "delete_unknown": {"type": "conversation.item.delete", "item_id": "item_unknown"},
        "retrieve_unknown": {"type": "conversation.item.retrieve", "item_id": "item_unknown"},
        "bad_response": {"type": "response.create", "response": {"voice": "alloy"}},
        "too_much_metadata": {"type": "response.create", "response": {"metadata": {"key": 513 * "x"}}},
    }
    for name, event in refused.items():
        await recorder.send({**event, "event_id": name})
    await recorder.pause(2.0)
    await recorder.send(said(STORY))
    await recorder.ask({"type": "response.create"}, "response.created", "error")
    await recorder.ask({"type": "response.create", "event_id": "second_response"}, "error")
    await recorder.ask({"type": "response.cancel"}, "response.done")


async def mcp(recorder: Any) -> None:
    """Import the tools of an MCP server, and have one called: with approval, refused approval, and without."""
    await recorder.send(update(tools=[{**MCP, "require_approval": "always"}]))
    await recorder.until("mcp_list_tools.completed", "mcp_list_tools.failed")
    for approve in (True, False, None):
        if approve is None:
            await recorder.ask(update(tools=[{**MCP, "require_approval": "never"}]), "session.updated", "error")
            await recorder.pause(2.0)
        await recorder.send(said("What topics does the wiki of the repository openai/openai-python have?"))
        choice = {"type": "mcp", "server_label": MCP["server_label"]}
        done = await recorder.ask({"type": "response.create", "response": {"tool_choice": choice}}, *OVER)
        for item in done.get("response", {}).get("output") or []:
            if item["type"] == "mcp_approval_request":
                answer = {"type": "mcp_approval_response", "approval_request_id": item["id"], "approve": approve}
                await recorder.send({"type": "conversation.item.create", "item": answer})
        await recorder.pause(5.0)  # the call may end after its response
        await recorder.ask({"type": "response.create"}, *OVER)


TRACES: dict[str, Callable[[Any], Awaitable[None]]] = {
    "truncate": truncate,
    "cancel": cancel,
    "barge_in": barge_in,
    "errors": errors,
    "mcp": mcp,
}
"""The traces by name."""
