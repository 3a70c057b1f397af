"""Decide when it is the user's turn, and when everything has been said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ...clock import Clock
from ...middlewares import TrackConversation
from .microphone import PatientMicrophone
from .narrate import Narrate

_LOOK_S = 0.1
"""How often to look."""

_PAUSE_S = 0.5
"""How long the greeting must be over before the recording answers it: a polite pause."""

_DONE_S = 3.0
"""How long nothing must happen after the recording for the conversation to be over: the silence that ends a turn
(0.5 s by default), a slow network and a slow listener together."""

_NO_GREETING_S = 10.0
"""How long to wait for a greeting that does not come."""


class Director:
    """Watch a conversation in which the user is a recording."""

    def __init__(
        self,
        microphone: PatientMicrophone,
        narrate: Narrate,
        conversation: TrackConversation,
        clock: Clock,
        *,
        greeting: bool,
        is_working: Callable[[], bool] = lambda: False,
    ) -> None:
        self._microphone = microphone
        self._narrate = narrate
        self._conversation = conversation
        self._clock = clock
        self._greeting = greeting
        self._is_working = is_working

    async def run(self, end: Callable[[], Awaitable[None]]) -> None:
        """Let the recording speak when the greeting is over; call ``end`` when its last answer is."""
        await self._until(self._greeting_is_over)
        self._microphone.may_speak.set()
        await self._until(lambda quiet_s: self._microphone.has_spoken.is_set() and quiet_s >= _DONE_S)
        await end()

    def _greeting_is_over(self, quiet_s: float) -> bool:
        if not self._greeting:
            return True
        return quiet_s >= (_PAUSE_S if self._narrate.responses_done else _NO_GREETING_S)

    async def _until(self, condition: Callable[[float], bool]) -> None:
        """Wait until the condition holds for the seconds that it has been quiet."""
        quiet_since = self._clock.now()
        while not condition(self._clock.now() - quiet_since):
            await self._clock.sleep_until(self._clock.now() + _LOOK_S)
            if self._is_busy():
                quiet_since = self._clock.now()

    def _is_busy(self) -> bool:
        is_speaking_user = self._microphone.may_speak.is_set() and not self._microphone.has_spoken.is_set()
        is_answering = bool(self._conversation.open_responses) or self._is_working()
        return is_speaking_user or self._narrate.is_anybody_speaking or is_answering
