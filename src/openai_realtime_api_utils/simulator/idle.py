"""Have the model check on a user who says nothing after it spoke (``idle_timeout_ms``; one recorded session)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .conversation import Conversation, Entry
from .outbox import Outbox
from .responses import Responses
from .speech_input import SpeechInput
from .turn_detection import in_ms, in_samples

_CHECK_ON_USER = "The user has not said anything for a while. Ask, in a few words, whether they are still there."


class IdleTimeout:
    """Count how long nobody has spoken, in the user's own sound: it only counts while sound keeps coming."""

    def __init__(
        self,
        outbox: Outbox,
        conversation: Conversation,
        speech_input: SpeechInput,
        responses: Responses,
        *,
        on_timeout: Callable[[float], None],
    ) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._input = speech_input
        self._responses = responses
        self._on_timeout = on_timeout
        self._quiet_from: int | None = None

    def check(self, detection: Mapping[str, Any], now: float) -> None:
        """Look again, after more of the user's sound has come."""
        timeout: int | None = detection.get("idle_timeout_ms")
        over_at = self._responses.speech_ends
        is_quiet = not (self._input.is_speaking or self._responses.active)
        if timeout is None or over_at is None or now < over_at or not is_quiet:
            self._quiet_from = None
        elif self._quiet_from is None:
            self._quiet_from = self._input.position
        elif self._input.position - self._quiet_from >= in_samples(timeout):
            self._time_out(self._quiet_from, now)

    def _time_out(self, quiet_from: int, now: float) -> None:
        self._quiet_from = self._responses.speech_ends = None
        item_id = self._outbox.ids.new("item")
        self._outbox.event(
            "input_audio_buffer.timeout_triggered",
            item_id=item_id,
            audio_start_ms=in_ms(quiet_from),
            audio_end_ms=in_ms(self._input.position),
        )
        self._conversation.add(
            Entry(
                {
                    "id": self._outbox.ids.new("item"),
                    "type": "message",
                    "status": "completed",
                    "role": "system",
                    "content": [{"type": "input_text", "text": _CHECK_ON_USER}],
                }
            )
        )
        self._input.commit_silence(quiet_from, item_id)
        self._on_timeout(now)
