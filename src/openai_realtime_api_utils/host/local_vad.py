"""Tell when the user begins and ceases to talk, as the sound engine hears it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .sound_memory import SoundMemory


class LocalVad:
    """Call handlers with True when the user begins to talk, and with False when they cease to; on the event loop.

    Once a handler is registered, the engine silences the loudspeaker by itself when talk begins, even while the program
    stands still. The handlers then decide: what they have not held or cancelled when they return sounds on, from the
    very sample.
    """

    def __init__(self, memory: SoundMemory) -> None:
        self.is_talking = False
        """What the handlers were told last."""
        self._memory = memory
        self._handlers: list[Callable[[bool], Any]] = []
        self._seen = memory.header.talk_changes

    def register_handler(self, handler: Callable[[bool], Any]) -> None:
        """Have a function called, such as ``Interrupt.set_is_user_talking``."""
        self._handlers.append(handler)
        self._memory.header.may_hold = 1

    def look(self) -> None:
        """Tell the handlers each change since the last time, in order, though it may be over by now."""
        while self._seen < self._memory.header.talk_changes:
            self._seen += 1
            self.is_talking = bool(self._seen % 2)
            for handler in tuple(self._handlers):
                handler(self.is_talking)
