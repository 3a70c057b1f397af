"""Say what came of a test: what was said, called, sent and refused."""

from __future__ import annotations

from typing import Any

from .called import Called
from .record import Record


class Findings:
    """Read a record of what went over the wire."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def called(self, name: str, /, **arguments: Any) -> Called:
        """Tell whether the model called a function with these arguments, and the application answered.

        Arguments that are not named may be anything. What it returns is true or false, and shows why.
        """
        return Called(name, arguments, self._record.calls)

    def said(self) -> str:
        """Return all that the assistant said or wrote, heard or not."""
        return joined([speech.words for speech in self._record.speeches.values()])

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events of the server's in order, without the sound in them."""
        return self._record.received

    @property
    def sent(self) -> list[dict[str, Any]]:
        """All events of the application's in order, without streamed sound."""
        return self._record.sent

    @property
    def errors(self) -> list[dict[str, Any]]:
        """What the service refused."""
        return [event["error"] for event in self._record.received if event["type"] == "error"]


def joined(texts: list[str]) -> str:
    """Put texts together that were said one after the other."""
    return " ".join(filter(None, (text.strip() for text in texts)))
