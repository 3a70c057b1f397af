"""Read of a frame what must be known of it, and make the frames that no server sent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast

from pydantic_core import from_json

SESSION_REPLACED = "local.session_replaced"
"""The type of the frame that tells of a new session."""

CONNECTION_LOST = "connection_lost"
"""The code of a response that failed because its session was lost."""

_TYPE = re.compile(rb'\s*\{\s*"type"\s*:\s*"([^"\\]*)"')


def frame_type(frame: bytes) -> str:
    """Return the type of the event in a frame; "" where there is none."""
    found = _TYPE.match(frame)
    if found is not None:
        return found[1].decode(errors="replace")
    told = parsed(frame).get("type")
    return told if isinstance(told, str) else ""


def parsed(frame: bytes | str) -> dict[str, Any]:
    """Return the event in a frame; an empty one where it cannot be read: others will complain of it."""
    try:
        value: object = from_json(frame)
    except ValueError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def translated(event: Any, ids: Mapping[str, str]) -> Any:
    """Return an event with every text that is one of ``ids`` replaced."""
    if isinstance(event, str):
        return ids.get(event, event)
    if isinstance(event, dict):
        return {key: translated(value, ids) for key, value in cast("dict[str, Any]", event).items()}
    if isinstance(event, list):
        return [translated(value, ids) for value in cast("list[Any]", event)]
    return event


class LocalFrames:
    """Make frames that no server sent, with ids of their own."""

    def __init__(self) -> None:
        self._count = 0

    def response_failed(self, response: Mapping[str, Any], reason: str) -> bytes:
        """Return the ``response.done`` of a response whose session was lost.

        Args:
            response: the response as ``response.created`` stated it, with the calls that came whole as its output:
                whoever runs functions may not have seen them.
            reason: what became of the session.
        """
        error = {"type": CONNECTION_LOST, "code": CONNECTION_LOST, "message": reason}
        failed = {**response, "status": "failed", "status_details": {"type": "failed", "error": error}, "usage": None}
        return self._frame("response.done", response=failed)

    def truncated(self, event: Mapping[str, Any]) -> bytes:
        """Return the answer to a truncation that was done in another way."""
        told = {name: event.get(name) for name in ("item_id", "content_index", "audio_end_ms")}
        return self._frame("conversation.item.truncated", **told)

    def deleted(self, item_id: str) -> bytes:
        """Return the frame that takes out an item of which nothing can be kept."""
        return self._frame("conversation.item.deleted", item_id=item_id)

    def session_replaced(
        self, reason: str, old: str | None, new: str | None, gap_ms: int, session: Mapping[str, Any] | None
    ) -> bytes:
        """Return the frame that tells of a new session."""
        return self._frame(
            SESSION_REPLACED, reason=reason, old_session_id=old, new_session_id=new, gap_ms=gap_ms, session=session
        )

    def _frame(self, event_type: str, **fields: Any) -> bytes:
        self._count += 1
        return json.dumps({"type": event_type, "event_id": f"local_{self._count}", **fields}).encode()
