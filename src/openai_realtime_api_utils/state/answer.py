"""Be a finished answer: what one request came to."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from .reading import plain_dict, read, read_id, read_list, read_text


@dataclass(frozen=True)
class AskedCall:
    """Be a function call that an answer holds."""

    call_id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""


@dataclass(frozen=True)
class Answer:
    """Be a finished response."""

    response_id: str
    status: str
    """``completed``, ``cancelled``, ``failed`` or ``incomplete``."""
    text: str
    """All it wrote, and the transcript of all it spoke, in order."""
    calls: tuple[AskedCall, ...] = ()
    """The functions it called."""
    usage: dict[str, Any] = field(default_factory=dict[str, Any])
    items: tuple[dict[str, Any], ...] = ()
    """What it made, as the server states it."""
    status_details: dict[str, Any] | None = None
    """Why it was not completed."""

    @property
    def transcript(self) -> str | None:
        """The transcript of what it spoke; None where it spoke nothing."""
        spoken = [text for text, is_spoken in _texts(self.items) if is_spoken]
        return " ".join(spoken) if spoken else None

    def json(self) -> Any:
        """Return the text read as JSON, whatever fence the model put round it.

        Raises:
            ValueError: it is not JSON.
        """
        text = self.text.strip()
        if text.startswith("```"):
            text = text.partition("\n")[2].rpartition("```")[0]
        return json.loads(text)


def answer_of(response: object) -> Answer:
    """Read a response that is done."""
    items = tuple(map(plain_dict, read_list(response, "output")))
    return Answer(
        response_id=read_id(response, "id") or "",
        status=read_text(response, "status") or "completed",
        text=" ".join(text for text, _ in _texts(items)),
        calls=tuple(
            AskedCall(
                read_text(item, "call_id") or "", read_text(item, "name") or "", read_text(item, "arguments") or ""
            )
            for item in items
            if item.get("type") == "function_call"
        ),
        usage=plain_dict(read(response, "usage")),
        items=items,
        status_details=plain_dict(read(response, "status_details")) or None,
    )


def _texts(items: tuple[dict[str, Any], ...]) -> list[tuple[str, bool]]:
    """Return the texts of messages, each with whether it was spoken."""
    found: list[tuple[str, bool]] = []
    for item in items:
        for part in read_list(item, "content"):
            text, transcript = read_text(part, "text"), read_text(part, "transcript")
            said = text if text is not None else transcript
            if said:
                found.append((said, text is None))
    return found
