"""Name what ``resume`` must be given to look at: the conversation, the configuration, and what was heard.

The middlewares ``TrackConversation``, ``TrackConfig`` and ``AudioPlayer`` are such; they are injected, so that there is
one replica of the conversation, and so is whatever else has the same shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..audio.formats import AudioFormat
from ..state.items import Item
from ..state.reading import at


class ConversationView(Protocol):
    """Know the items: ``TrackConversation``."""

    @property
    def items(self) -> Sequence[Item]: ...

    def item(self, item_id: str, /) -> Item | None: ...


class ConfigView(Protocol):
    """Know how the session is configured: ``TrackConfig``."""

    @property
    def accepted(self) -> Mapping[str, Any]: ...

    @property
    def session_type(self) -> str: ...

    @property
    def turn_detection(self) -> Mapping[str, Any] | None: ...

    @property
    def audio_format_input(self) -> AudioFormat: ...


class HeardView(Protocol):
    """Know what has sounded: ``AudioPlayer``."""

    @property
    def is_speaking(self) -> bool: ...

    def heard_text(self, item_id: str, /) -> str: ...


def answers_by_itself(config: ConfigView) -> bool:
    """Tell whether the session answers a turn that it heard without being asked."""
    detection = config.turn_detection
    return config.session_type == "realtime" and detection is not None and detection.get("create_response") is not False


def detects_turns(config: ConfigView) -> bool:
    """Tell whether the server finds the turns, so that nobody commits them."""
    return config.session_type == "translation" or config.turn_detection is not None


def transcribes(session: object) -> bool:
    """Tell whether what the user says is transcribed."""
    return bool(at(session, "audio", "input", "transcription"))
