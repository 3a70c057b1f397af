"""Make the events of a server, as they come out of ``decode``."""

import json
from itertools import count
from typing import Any

from openai_realtime_api_utils.events import decode

_numbers = count()


def made(type_: str, **fields: Any) -> Any:
    """Return a decoded server event."""
    return decode(json.dumps({"type": type_, "event_id": f"event_{next(_numbers)}", **fields}))


def message(item_id: str, role: str = "user", text: str | None = None, **fields: Any) -> dict[str, Any]:
    """Return a message; without text, an assistant's that is beginning or a user's that was spoken."""
    kind = "output_text" if role == "assistant" else "input_text"
    if text is not None:
        content = [{"type": kind, "text": text}]
    else:
        content = [] if role == "assistant" else [{"type": "input_audio", "transcript": None}]
    return {"id": item_id, "type": "message", "role": role, "status": "completed", "content": content, **fields}


def added(item: dict[str, Any], previous: str | None = None) -> Any:
    """Return the event that puts an item into the conversation."""
    return made("conversation.item.added", item=item, previous_item_id=previous)


def response(response_id: str, status: str = "in_progress", **fields: Any) -> dict[str, Any]:
    """Return a response that writes to the default conversation."""
    return {
        "object": "realtime.response",
        "id": response_id,
        "status": status,
        "status_details": None,
        "output": [],
        "conversation_id": "conv_1",
        "usage": None,
        "metadata": None,
        **fields,
    }


def spoken_answer(response_id: str, item_id: str, previous: str, *words: str, audio: str = "AAAA") -> list[Any]:
    """Return the events of a spoken answer up to its last delta, in the order of the recorded sessions."""
    about = {"response_id": response_id, "output_index": 0}
    part = {**about, "item_id": item_id, "content_index": 0}
    item = message(item_id, "assistant", status="in_progress")
    return [
        made("response.created", response=response(response_id)),
        made("response.output_item.added", item=item, **about),
        added(item, previous),
        made("response.content_part.added", part={"type": "audio", "transcript": ""}, **part),
        *(made("response.output_audio_transcript.delta", delta=word, **part) for word in words),
        *(made("response.output_audio.delta", delta=audio, **part) for _ in words),
    ]


def spoken_end(response_id: str, item_id: str, text: str, status: str = "completed") -> list[Any]:
    """Return the events that end a spoken answer, in the order of the recorded sessions."""
    about = {"response_id": response_id, "output_index": 0}
    part = {**about, "item_id": item_id, "content_index": 0}
    content = [{"type": "output_audio", "transcript": text}]
    item = message(item_id, "assistant", content=content, status="completed" if status == "completed" else "incomplete")
    ended = "completed" if status == "completed" else "cancelled"
    return [
        made("response.output_audio.done", **part),
        made("response.output_audio_transcript.done", transcript=text, **part),
        made("response.content_part.done", part={"type": "audio", "transcript": text}, **part),
        made("conversation.item.done", item=item, previous_item_id=None),  # wrongly null, as recorded
        made("response.output_item.done", item=item, **about),
        made("response.done", response=response(response_id, ended, output=[item])),
    ]
