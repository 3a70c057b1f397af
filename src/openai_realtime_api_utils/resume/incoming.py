"""Learn from what a server sends, and keep from the handlers what only answers us."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pydantic_core import to_json

from ..events.redact import redact_text, visible
from ..state.planting import ITEM_ECHOES
from ..state.reading import read_id, read_text
from .frames import frame_type, parsed, translated
from .line import Line
from .outgoing import retell, send_all
from .owing import is_apart_response
from .sessions import Sessions
from .views import transcribes

_logger = logging.getLogger(__name__)

_Event: TypeAlias = dict[str, Any]

_UNSUPPORTED = frozenset({"invalid_value", "unknown_event", "invalid_event", "unsupported_event"})
"""With what servers refuse an event that they do not know (the first is the service's own)."""


def taken(sessions: Sessions, line: Line, frame: bytes) -> bytes | None:
    """Return a frame as the handlers are to see it; None where they are not."""
    event_type = frame_type(frame)
    ids = line.planting.server_ids
    if event_type not in WATCHED and not ids:
        return frame
    event = parsed(frame)
    is_echo = look(sessions, line, event_type, event)
    for problem in line.planting.problems:
        _logger.warning("%s", visible(redact_text(problem)))
    line.planting.problems.clear()
    if line.planting.out:
        out, line.planting.out = line.planting.out, []
        sessions.spawn(send_all(line, out), "put in what was refused")
    if is_echo:
        return None
    if ids:
        event = translated(event, ids)
    if not stand_behind_absent(sessions, line, event) and not ids:
        return frame
    return to_json(event)


def stand_behind_absent(sessions: Sessions, line: Line, event: _Event) -> bool:
    """Have a new item come after those that its session knows nothing of; return whether its event was changed."""
    if not line.absent or event.get("type") != "conversation.item.added" or "previous_item_id" not in event:
        return False
    items, previous = sessions.conversation.items, event["previous_item_id"]
    index = next((n for n in range(len(items), 0, -1) if items[n - 1].id == previous), 0 if previous is None else None)
    if index is None:
        return False
    while index < len(items) and items[index].id in line.absent:
        event["previous_item_id"] = items[index].id
        index += 1
    return event["previous_item_id"] != previous


def look(sessions: Sessions, line: Line, event_type: str, event: _Event) -> bool:
    """Learn from an event; return whether it is to be kept from the handlers."""
    look_at = _LOOKS.get(event_type)
    if look_at is not None and look_at(sessions, line, event):
        return True
    if line.planting.take(event):
        return True
    if event_type in ITEM_ECHOES and sessions.draining is not None and line is sessions.line:
        line.native.add(read_id(event.get("item"), "id") or "")
    if event_type != "response.created":
        sessions.unanswered.answered(event)
    return False


def _created(sessions: Sessions, line: Line, event: _Event) -> bool:
    line.session, line.is_announced = event.get("session"), True
    was_announced, sessions.was_announced = sessions.was_announced, True
    return was_announced


def _updated(_sessions: Sessions, line: Line, event: _Event) -> bool:
    line.session = event.get("session")
    is_ours = bool(line.updates) and line.updates.popleft() in line.planting.configuring
    if is_ours:
        line.planting.configured()
    return is_ours


def _closed(_sessions: Sessions, line: Line, _event: _Event) -> bool:
    was_closing, line.is_closing = line.is_closing, False
    return was_closing


def _error(sessions: Sessions, line: Line, event: _Event) -> bool:
    error = event.get("error")
    sessions.last_code = read_text(error, "code")
    event_id = read_id(error, "event_id")
    if event_id in line.updates:
        line.updates.remove(event_id)
    truncation = sessions.truncating.pop(event_id or "", None)
    told = f"{read_text(error, 'param')} {read_text(error, 'message')}"
    is_unknown = sessions.last_code in _UNSUPPORTED and told.startswith("type ")
    if truncation is not None and is_unknown:  # a dialect that has no such event
        sessions.can_truncate = False
        sessions.unanswered.answered(event)
        sessions.spawn(retell(sessions, line, truncation), "tell what was heard")
        return True
    return False


def _speech_started(sessions: Sessions, line: Line, _event: _Event) -> bool:
    if line is sessions.line:
        sessions.user_audio.started()
        _barge_into_old(sessions)
    return False


def _speech_stopped(sessions: Sessions, _line: Line, _event: _Event) -> bool:
    sessions.user_audio.stopped()
    return False


def _committed(sessions: Sessions, line: Line, event: _Event) -> bool:
    item_id = read_id(event, "item_id") or ""
    sessions.user_audio.committed(item_id)
    if transcribes(line.session):
        line.untranscribed.add(item_id)
    return False


def _cleared(sessions: Sessions, _line: Line, _event: _Event) -> bool:
    sessions.user_audio.cleared()
    return False


def _transcribed(sessions: Sessions, line: Line, event: _Event) -> bool:
    item_id = read_id(event, "item_id") or ""
    line.untranscribed.discard(item_id)
    sessions.user_audio.transcribed(item_id)
    return False


def _not_transcribed(_sessions: Sessions, line: Line, event: _Event) -> bool:
    line.untranscribed.discard(read_id(event, "item_id") or "")
    return False


def _barge_into_old(sessions: Sessions) -> None:
    """Stop the session that cannot hear the user interrupt it."""
    interrupts = (sessions.config.turn_detection or {}).get("interrupt_response") is not False
    if sessions.draining is not None and interrupts:
        cancels = [{"type": "response.cancel", "response_id": r} for r in sessions.draining.responses]
        sessions.spawn(send_all(sessions.draining, cancels), "stop the old session")


def _response_created(sessions: Sessions, line: Line, event: _Event) -> bool:
    response = event.get("response")
    response_id = read_id(response, "id")
    if response_id is not None:
        if not is_apart_response(dict(response or {})):  # there is one at a time: the end of any other was lost
            line.responses = {id_: told for id_, told in line.responses.items() if is_apart_response(told)}
        line.responses[response_id] = dict(response or {})
        line.asked_by[response_id] = sessions.unanswered.answered(event)
    return False


def _output_item_added(_sessions: Sessions, line: Line, event: _Event) -> bool:
    response_id = read_id(event, "response_id")
    if response_id is not None and response_id not in line.responses:  # from a server that does not say "created"
        line.responses[response_id] = {"id": response_id, "object": "realtime.response"}
    return False


def _response_done(_sessions: Sessions, line: Line, event: _Event) -> bool:
    response_id = read_id(event.get("response"), "id") or ""
    line.responses.pop(response_id, None)
    line.asked_by.pop(response_id, None)
    return False


_LOOKS: Mapping[str, Callable[[Sessions, Line, _Event], bool]] = {
    "session.created": _created,
    "session.updated": _updated,
    "session.closed": _closed,
    "error": _error,
    "input_audio_buffer.speech_started": _speech_started,
    "input_audio_buffer.speech_stopped": _speech_stopped,
    "input_audio_buffer.committed": _committed,
    "input_audio_buffer.cleared": _cleared,
    "conversation.item.input_audio_transcription.completed": _transcribed,
    "conversation.item.input_audio_transcription.failed": _not_transcribed,
    "response.created": _response_created,
    "response.output_item.added": _output_item_added,
    "response.done": _response_done,
}
"""Event type -> what is learnt from it; each returns whether the event is to be kept from the handlers."""

WATCHED = frozenset({*_LOOKS, *ITEM_ECHOES, "conversation.item.deleted", "conversation.item.truncated"})
"""The events that are looked into; all others pass as they are."""
