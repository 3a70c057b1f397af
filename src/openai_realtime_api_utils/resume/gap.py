"""Hold what is sent while there is nobody to send it to."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any, TypeAlias

from ..audio.formats import AudioFormat
from ..state.microphone_gap import MicrophoneGap, pieces

_logger = logging.getLogger(__name__)

_Event: TypeAlias = dict[str, Any]

ROOM = 1_000
"""How many events wait at most; above that the oldest are dropped, and that is logged."""


class Gap:
    """Be a queue of client events between two sessions. Sound goes by the policy, all else is kept in order."""

    def __init__(self, microphone: MicrophoneGap | None, *, began_at: float) -> None:
        """Begin it.

        Args:
            microphone: decides on sound; None where a session is there and only its turn has not come, so that sound
                waits like all else.
            began_at: when, in seconds of the clock.
        """
        self.microphone = microphone
        self.began_at = began_at
        self.again: _Event | None = None
        """The ``response.create`` that asks again for the answer that was lost."""
        self._events: deque[_Event] = deque()
        self._turn_was_lost = False

    def __len__(self) -> int:
        return len(self._events)

    @property
    def asks(self) -> bool:
        """Whether a response is asked for already."""
        return any(event["type"] == "response.create" for event in self._events)

    def put(self, event: _Event) -> None:
        """Take an event that would be sent now."""
        if self.microphone is not None and not self._is_wanted(event, self.microphone):
            return
        self._events.append(event)
        if len(self._events) > ROOM:
            _logger.warning("There is no connection yet: %s was dropped.", self._events.popleft()["type"])

    def take_all(self) -> list[_Event]:
        """Return all events, and keep none."""
        events, self._events = list(self._events), deque()
        return events

    def put_first(self, events: list[_Event]) -> None:
        """Put events before all others."""
        self._events.extendleft(reversed(events))

    def take(self) -> _Event:
        """Return the next event."""
        return self._events.popleft()

    def release(self, audio_format: AudioFormat, *, answers_by_itself: bool) -> None:
        """Put the sound that is kept before all else, and hold back nothing more."""
        if self.microphone is not None:
            kept = self.microphone.take(answers_by_itself=answers_by_itself)
            appends = [{"type": "input_audio_buffer.append", "audio": piece} for piece in pieces(kept, audio_format)]
            self.put_first(appends)
            if self.microphone.lost:
                _logger.info("%d samples of the microphone were lost with the connection.", self.microphone.lost)
        self.microphone = None

    def _is_wanted(self, event: _Event, microphone: MicrophoneGap) -> bool:
        match event["type"]:
            case "input_audio_buffer.append" | "session.input_audio_buffer.append":
                microphone.append(event.get("audio") or "")
                return False
            case "input_audio_buffer.commit":
                self._turn_was_lost = not microphone.commit()
                return not self._turn_was_lost
            case "input_audio_buffer.clear":
                microphone.clear()
                return False
            case "response.cancel":
                return False  # what it means ended with its session
            case "response.create" if self._turn_was_lost:
                self._turn_was_lost = False  # there is nothing to answer
                return False
            case _:
                return True
