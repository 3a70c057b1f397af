"""Be the responses of a conversation: which are open, and what became of the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..audio.formats import PCM_24K, AudioFormat


@dataclass(slots=True, eq=False)
class Response:
    """Be one response, kept up to date while events come in. Read it; the conversation writes it."""

    id: str
    is_out_of_band: bool = False
    """Whether it writes to no conversation: it was asked for with ``"conversation": "none"``."""
    status: str = "in_progress"
    """``in_progress``; then ``completed``, ``cancelled``, ``failed`` or ``incomplete``."""
    status_details: dict[str, Any] | None = None
    """Why it was not completed."""
    metadata: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the client gave it to be known by."""
    audio_format: AudioFormat = PCM_24K
    """How its sound is encoded."""
    ids: dict[str, None] = field(default_factory=dict[str, None], repr=False)

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The items it made, in order."""
        return tuple(self.ids)
