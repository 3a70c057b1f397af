"""Know how far a stretch of speech was heard, in samples, and which of its words."""

from __future__ import annotations

from typing import NamedTuple

from ..ports import SpeechId
from .heard import heard_text


class Playhead(NamedTuple):
    """Hold what was received of a stretch of speech and how much of it was heard.

    Laws: heard never exceeds received, and never falls.
    """

    rate: int
    """Samples per second, as received."""
    received: int = 0
    """Samples received."""
    heard: int = 0
    """Samples that the converter has put out."""
    transcript: str = ""
    """The words received; they run ahead of the sound."""

    def receive(self, samples: int) -> Playhead:
        """Take note of more sound."""
        return Playhead(self.rate, self.received + samples, self.heard, self.transcript)

    def tell(self, text: str) -> Playhead:
        """Take note of more words."""
        return Playhead(self.rate, self.received, self.heard, self.transcript + text)

    def hear(self, samples: int, *, rate: int) -> Playhead:
        """Take note of how much has been heard in all, in samples of the loudspeaker."""
        heard = max(self.heard, min(samples * self.rate // rate, self.received))
        return Playhead(self.rate, self.received, heard, self.transcript)

    @property
    def received_ms(self) -> int:
        """Whole milliseconds received."""
        return self.received * 1000 // self.rate

    @property
    def heard_ms(self) -> int:
        """Whole milliseconds heard."""
        return self.heard * 1000 // self.rate

    @property
    def heard_text(self) -> str:
        """The words heard, in proportion to the sound; no word that was not heard to its end."""
        return heard_text(self.transcript, self.heard, self.received)


class Cut(NamedTuple):
    """Say how far speech was heard that was cut before its end."""

    speech_id: SpeechId
    heard_ms: int
    received_ms: int
    response_id: str | None = None
    """The response that it is of."""
