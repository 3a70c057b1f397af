"""Say in another language what was said: one utterance after the other, each as soon as it is understood."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pybase64

from ..audio import pcm
from ..audio.formats import PCM_24K
from .commands import Think
from .engine import RATE, Call, Fail, Say, Turn
from .outbox import Outbox, Timeline
from .settings import Settings
from .tokens import tokens

if TYPE_CHECKING:
    from ..ports import Samples

FRAME_MS = 200
"""What the service's engine works in (API reference)."""
_CHUNK = FRAME_MS * RATE // 1000
_VOICE = "marin"
_ASKED = "Translate what the user says into the language '{language}'. Say the translation and nothing else."


@dataclass(frozen=True)
class _Job:
    item_id: str
    said: str
    language: str


class Interpreter:
    """Have utterances translated in order, and let the translations out at their pace."""

    def __init__(self, settings: Settings, outbox: Outbox, timeline: Timeline, elapsed_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._outbox = outbox
        self._timeline = timeline
        self._elapsed_ms = elapsed_ms
        self._waiting: deque[_Job] = deque()
        self._current: str | None = None
        self._has_said = False
        self._gap = ""
        """What keeps the next words apart from the phrase before: clients put deltas together as they come."""
        self.free_at = 0.0
        """When all that was translated so far will be out."""

    @property
    def is_busy(self) -> bool:
        return self._current is not None

    def translate(self, item_id: str, said: str, language: str) -> None:
        """Translate this too, after what waits already."""
        self._waiting.append(_Job(item_id, said, language))
        self._go_on()

    def busy_until(self, item_id: str) -> float | None:
        return self.free_at if item_id == self._current else None

    def take(self, item_id: str, thought: Say | Call | Fail, samples: Samples | None, now: float) -> Fail | None:
        """Put a piece of the translation on the timeline; return why there is none, if it failed."""
        if item_id != self._current:
            return None
        if isinstance(thought, Fail):
            return thought
        if isinstance(thought, Say):
            self._say(thought.text, samples, max(now, self.free_at))
        return None

    def finish(self, item_id: str) -> None:
        if item_id == self._current:
            self._current = None
            self._gap = " " if self._has_said else ""
            self._go_on()

    def _go_on(self) -> None:
        if self._current is not None or not self._waiting:
            return
        job = self._waiting.popleft()
        self._current = job.item_id
        item = {
            "id": job.item_id,
            "type": "message",
            "status": "completed",
            "role": "user",
            "content": [{"type": "input_audio", "transcript": job.said}],
        }
        turn = Turn(_ASKED.format(language=job.language), [item], translate_to=job.language)
        self._outbox.command(Think(job.item_id, turn, _VOICE, 1.0))

    def _say(self, text: str, samples: Samples | None, start: float) -> None:
        length = 0.0 if samples is None else len(samples) / RATE / self._settings.pace
        pieces = tokens(text if text[:1].isspace() else self._gap + text)
        self._has_said, self._gap = True, ""
        for i, piece in enumerate(pieces):
            self._timeline.at(start + length * i / len(pieces), "", lambda _, piece=piece: self._write(piece))
        for i in range(0, 0 if samples is None else len(samples), _CHUNK):
            if samples is not None:
                chunk = samples[i : i + _CHUNK]
                due = start + i / RATE / self._settings.pace
                self._timeline.at(due, "", lambda _, chunk=chunk: self._sound(chunk))
        self.free_at = start + length

    def _write(self, delta: str) -> None:
        self._outbox.event("session.output_transcript.delta", delta=delta, elapsed_ms=self._elapsed_ms())

    def _sound(self, samples: Samples) -> None:
        self._outbox.event(
            "session.output_audio.delta",
            delta=pybase64.b64encode(pcm.encode(samples, PCM_24K)).decode(),
            format="pcm16",
            sample_rate=RATE,
            channels=1,
            elapsed_ms=self._elapsed_ms(),
        )
