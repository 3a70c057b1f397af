"""Know when the server is about to begin a response by itself, because the user has spoken."""

from __future__ import annotations

from .reading import is_null, read, read_text

GRACE_S = 1.0
"""How long after the end of speech the server's own response is waited for. In the recorded sessions it comes in one
burst with ``speech_stopped``; the rest is the network's."""


SERVER_TURN_EVENTS = frozenset(
    {
        "session.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.timeout_triggered",
        "input_audio_buffer.cleared",
        "response.created",
    }
)
"""The types of the events that ``ServerTurns`` takes; others change nothing."""


class ServerTurns:
    """Follow the user's speech as the server hears it. Seconds are the clock's."""

    def __init__(self) -> None:
        self.is_user_speaking = False
        self._due_until: float | None = None
        self._answers = True

    def take(self, event: object, now: float) -> None:
        """Take a server event; any may come."""
        match read_text(event, "type"):
            case "session.created" | "session.updated":
                hears = read(read(read(event, "session"), "audio"), "input")
                detection = read(hears, "turn_detection")
                self._answers = not is_null(hears, "turn_detection") and (
                    read(detection, "create_response") is not False
                )
                if is_null(hears, "turn_detection"):
                    self._silent()
            case "input_audio_buffer.speech_started":
                self.is_user_speaking, self._due_until = True, None
            case "input_audio_buffer.speech_stopped" | "input_audio_buffer.timeout_triggered":
                self.is_user_speaking = False
                self._due_until = now + GRACE_S if self._answers else None
            case "input_audio_buffer.cleared":
                self._silent()
            case "response.created":
                self._due_until = None
            case _:
                pass

    def holds(self, now: float) -> bool:
        """Tell whether a response asked for now would come into the user's words, or across the server's own."""
        return self.is_user_speaking or (self._due_until is not None and now < self._due_until)

    @property
    def is_response_due(self) -> bool:
        """Whether the next response is, as far as is known, the one that the server begins by itself."""
        return self._due_until is not None

    @property
    def deadline(self) -> float | None:
        """When to look again though nothing has happened."""
        return self._due_until

    def _silent(self) -> None:
        self.is_user_speaking, self._due_until = False, None
