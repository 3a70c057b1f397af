"""Keep what a call still has to play to the caller, and tell the client when playing begins, ends and is cut short.

At a plain WebSocket the client plays and only the client knows; in a call the service plays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .commands import Hush, Play
from .conversation import Conversation, Entry
from .engine import RATE
from .outbox import Outbox, Timeline

if TYPE_CHECKING:
    from ..ports import Samples

_OWNER = "playout"


class Playout:
    """Be the output audio buffer of a call: what was made and not yet heard, in order."""

    def __init__(self, outbox: Outbox, timeline: Timeline, conversation: Conversation) -> None:
        self._outbox = outbox
        self._timeline = timeline
        self._conversation = conversation
        self._response_id: str | None = None
        """The response that plays; None while nothing does."""
        self._ends = 0.0
        self._begins: list[tuple[Entry, float]] = []
        """When each item that is in the buffer begins to sound."""

    def play(self, response_id: str, entry: Entry, samples: Samples, now: float) -> None:
        """Put more speech behind what is there."""
        if self._response_id != response_id:
            self._response_id = response_id
            self._timeline.drop(_OWNER)
            self._outbox.event("output_audio_buffer.started", response_id=response_id)
        start = max(now, self._ends)
        if not (self._begins and self._begins[-1][0] is entry):
            self._begins.append((entry, start))
        self._ends = start + len(samples) / RATE
        self._outbox.command(Play(response_id, samples))

    def finish(self, response_id: str, now: float) -> None:
        """Say that the response is done: ``stopped`` comes once it has been played (recorded sessions)."""
        if self._response_id == response_id:
            self._timeline.at(max(now, self._ends), _OWNER, lambda _: self._stop("stopped"))

    def clear(self, now: float) -> None:
        """Cut off what has not been heard, and shorten the items to what has; nothing happens while nothing plays."""
        if self._response_id is None:
            return
        self._timeline.drop(_OWNER)
        self._outbox.command(Hush())
        begins = list(self._begins)
        self._ends = now
        self._stop("cleared")
        for entry, start in begins:
            heard_ms = int(max(0.0, now - start) * 1000)
            if heard_ms < entry.audio_ms and self._conversation.find(entry.item["id"]) is entry:
                self._conversation.truncate(entry.item["id"], 0, heard_ms)

    def _stop(self, how: str) -> None:
        self._outbox.event(f"output_audio_buffer.{how}", response_id=self._response_id)
        self._response_id = None
        self._begins.clear()
