"""Have functions that compute begin one after the other.

Python runs one thread at a time, so two that compute together end no sooner than one after the other; but the event
loop waits for each of them, again and again, whenever it comes back from the network.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

_LOOK_S = 0.003
"""How long a function is looked at to tell whether it computes. This is what a call waits beside others that rest."""

_COMPUTES_S = 0.0006
"""How much of that it may use the processor without being said to compute."""

PATIENCE_S = 2.0
"""How much of the processor's time a function may use before others begin beside it: a long one starves nobody."""


class Computing:
    """Know which threads compute, by the processor's time that they use; a machine that cannot tell knows of none."""

    def __init__(self, *, clock_of: Callable[[int], int] | None, used: Callable[[int], float]) -> None:
        """Know of none.

        Args:
            clock_of: returns the clock of the processor's time that a thread uses, by the thread's ``get_ident``.
            used: reads such a clock, in seconds.
        """
        self._clock_of = clock_of
        self._used = used
        self._door = threading.Lock()
        self._someone_ended = threading.Condition()
        self._clocks: set[int] = set()

    @contextmanager
    def turn(self) -> Generator[None]:
        """Wait, in the thread that may compute, until no other does; then be one of them for the length of a block."""
        if self._clock_of is None:
            yield
            return
        mine = self._clock_of(threading.get_ident())
        with self._door:  # one looks at a time; whoever waits here costs nothing
            while self._others_compute():
                pass
            with self._someone_ended:
                self._clocks.add(mine)
        try:
            yield
        finally:
            with self._someone_ended:
                self._clocks.discard(mine)
                self._someone_ended.notify()

    def _others_compute(self) -> bool:
        with self._someone_ended:
            before = {clock: self._used(clock) for clock in self._clocks}
            young = {clock: used for clock, used in before.items() if used < PATIENCE_S}
            if not young:
                return False
            self._someone_ended.wait(_LOOK_S)
            still = young.keys() & self._clocks
            return any(self._used(clock) - young[clock] > _COMPUTES_S for clock in still)


_HAS_CLOCKS = hasattr(time, "pthread_getcpuclockid")  # neither on Windows nor on macOS
computing = Computing(
    clock_of=time.pthread_getcpuclockid if _HAS_CLOCKS else None,
    used=time.clock_gettime if _HAS_CLOCKS else float,
)  # there is one interpreter, whose threads take turns
