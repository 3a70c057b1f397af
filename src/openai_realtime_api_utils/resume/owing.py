"""Know which answer the user still waits for when a session is lost, and ask for it once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from ..state.items import Item
from ..state.restore import is_whole_call
from ..state.unanswered import is_apart
from .line import Line
from .sessions import Sessions
from .views import answers_by_itself

_Event: TypeAlias = dict[str, Any]


def owed(sessions: Sessions, line: Line) -> _Event | None:
    """Return what asks for the answer that the user waits for; None where there is none, or it was asked for again."""
    items = sessions.conversation.items
    turn = next((item for item in reversed(items) if item.role == "user" or item.type == "function_call_output"), None)
    for response_id in line.responses:
        create = line.asked_by.get(response_id)
        if (create is not None and is_apart(create)) or is_given(sessions, response_id):
            continue
        if is_apart_response(line.responses[response_id]):
            continue
        if create is None and turn is None:
            continue
        if is_first_time(sessions, turn.id if turn else response_id):
            return {
                name: value for name, value in (create or {"type": "response.create"}).items() if name != "event_id"
            }
        return None
    last = items[-1] if items else None
    is_unanswered = (
        last is not None and last.role == "user" and last.is_spoken_in and answers_by_itself(sessions.config)
    )
    if is_unanswered and turn is not None and not line.responses and is_first_time(sessions, turn.id):
        return {"type": "response.create"}
    return None


def is_given(sessions: Sessions, response_id: str) -> bool:
    """Tell whether a response has said or called what it was to, though it was not done."""
    made = [item for item in sessions.conversation.items if item.response_id == response_id]
    return any(is_whole_call(item) or _is_whole_answer(item) for item in made)


def _is_whole_answer(item: Item) -> bool:
    """Tell whether all words of an answer have come, though perhaps not the word that it is complete."""
    if item.type != "message" or item.details.get("phase") == "commentary":
        return False
    return item.status == "completed" or bool(item.parts and all(part.growing.is_final for part in item.content))


def whole_calls(items: Sequence[Item], response_id: str) -> list[_Event]:
    """Return the function calls that came whole of a response, as a server states them."""
    return [
        {
            "id": item.id,
            "type": "function_call",
            "status": "completed",
            "name": item.name,
            "call_id": item.call_id,
            "arguments": item.arguments,
        }
        for item in items
        if item.response_id == response_id and is_whole_call(item)
    ]


def is_first_time(sessions: Sessions, key: str) -> bool:
    """Tell whether this is asked for again for the first time."""
    is_first = key not in sessions.asked_again
    sessions.asked_again.append(key)
    return is_first


def is_apart_response(response: _Event) -> bool:
    """Tell whether a response writes to no conversation."""
    return "conversation_id" in response and response["conversation_id"] is None
