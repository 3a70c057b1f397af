"""Know how the session is configured."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ..audio.formats import AudioFormat
from ..events import decode, encode
from ..handlers import Metadata, for_types
from ..state import config as state
from ..state.config import Config, SessionType
from ..state.reading import read, read_id, read_text
from ..state.session_audio import format_in, leaves_format_open

_logger = logging.getLogger(__name__)

_WATCHED = frozenset({"local.session_replaced", "session.created", "session.updated", "error"})


class TrackConfig:
    """Keep the session's configuration: what the server acknowledged, and what was asked of it.

    Hook both handlers. A refused update is found by its ``event_id``: hook ``GiveClientEventId`` before this one. Works
    on sideband connections, which see no ``session.created``, and on transcription and translation sessions.
    """

    def __init__(self) -> None:
        self._state = Config()
        self._has_warned = False

    @property
    def session_config(self) -> Any:
        """The session as the server last stated it, the SDK's object; None while nothing is known or one is pending."""
        return None if self._state.pending else self._state.session

    @property
    def acknowledged(self) -> Mapping[str, Any] | None:
        """The session as the server last stated it, as dicts and lists; None while nothing is known."""
        return self._state.acknowledged

    @property
    def requested(self) -> dict[str, Any]:
        """All that this client asked for and was not refused, in one ``session``; pending updates included."""
        return self._state.requested

    @property
    def accepted(self) -> dict[str, Any]:
        """All that this client asked for and the server took, in one ``session``."""
        return self._state.taken

    @property
    def pending(self) -> tuple[Mapping[str, Any], ...]:
        """The ``session`` of each update that the server has not answered yet, in the order sent."""
        return tuple(update.session for update in self._state.pending)

    @property
    def session_type(self) -> SessionType:
        """``"realtime"``, ``"transcription"`` or ``"translation"``."""
        return state.session_type(self._state)

    @property
    def audio_format_input(self) -> AudioFormat:
        """How the server takes sound; PCM at 24 kHz while it has not said.

        Raises:
            FormatError: it is none that the API reference knows.
        """
        return format_in(self._state.acknowledged, "input")

    @property
    def audio_format_output(self) -> AudioFormat:
        """How the server sends sound; PCM at 24 kHz while it has not said.

        Raises:
            FormatError: it is none that the API reference knows.
        """
        return format_in(self._state.acknowledged, "output")

    @property
    def turn_detection(self) -> dict[str, Any] | None:
        """How the server detects turns; None where it does not. Server VAD while it has not said."""
        return state.turn_detection(self._state)

    @property
    def interrupts_by_itself(self) -> bool:
        """Whether the server cancels its response when the user speaks."""
        return state.interrupts_by_itself(self._state)

    @property
    def state(self) -> Config:
        """All that is known, as an immutable value."""
        return self._state

    def drift(self) -> tuple[str, ...]:
        """Return the paths at which the session differs from what was asked for and accepted.

        What the server never shows (``reasoning``, ``parallel_tool_calls``, ``delay``, secrets) is unknown, not drift.
        """
        return state.drift(self._state)

    @for_types(_WATCHED)
    def server_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Watch ``session.created``, ``session.updated``, ``error``, and ``local.session_replaced``."""
        kind = read_text(event, "type")
        if kind not in _WATCHED:
            return event, metadata
        match kind:
            case "local.session_replaced" if read(event, "session") is not None:
                self._state = state.stated(self._state, _as_stated(read(event, "session")), is_answer=False)
            case "session.created" | "session.updated" as said if read(event, "session") is not None:
                is_answer = said == "session.updated"
                self._state = state.stated(self._state, read(event, "session"), is_answer=is_answer)
                self._warn_of_open_formats()
            case "error" if self._state.pending or self._state.accepted:
                error = read(event, "error")
                self._state = state.refused(self._state, read_id(error, "event_id"), read_text(error, "param"))
            case _:
                pass
        return event, metadata

    def _warn_of_open_formats(self) -> None:
        if self._has_warned or self.session_type != "realtime" or not leaves_format_open(self._state.acknowledged):
            return
        self._has_warned = True
        _logger.warning(
            "The server names no sound format, so 24 kHz PCM is assumed, and it may mean another rate: name "
            "audio.input.format and audio.output.format in a session.update."
        )

    @for_types(["session.update"])
    def client_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Watch ``session.update``."""
        if read_text(event, "type") == "session.update":
            self._state = state.asked(self._state, read_id(event, "event_id"), read(event, "session"))
        return event, metadata


def _as_stated(session: object) -> Any:
    """Return a session as the SDK's object, the shape in which a server states it."""
    return read(decode(encode({"type": "session.updated", "event_id": "", "session": session})), "session")
