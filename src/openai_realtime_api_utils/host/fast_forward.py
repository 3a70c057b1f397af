"""Run a program as fast as the machine allows, on a manual clock that jumps whenever everyone waits.

An event loop asks its selector to wait only when it has nothing else to do: that is the moment at which time may
jump to the next sleeper. No guess at how many turns of the loop "settle" a program, so a run is repeatable.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar, cast

from ..clock import ManualClock
from ..errors import HandlerError

T = TypeVar("T")

_POLL_S = 0.05
"""How long a selector waits at a time while work is under way elsewhere or nobody sleeps, in seconds of the machine."""


class _JumpingSelector(selectors.BaseSelector):
    """Do what the machine's selector does, but move the clock instead of waiting."""

    def __init__(self, clock: ManualClock, real: selectors.BaseSelector, *, owns_timers: bool = False) -> None:
        self._real = real
        self._clock = clock
        self._owns_timers = owns_timers
        """Whether the loop's own timers go by the clock as well."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._real.select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        wake = None if self._clock.is_held else self._next_wake(timeout)
        if wake is None:
            return self._real.select(_POLL_S if timeout is None else min(timeout, _POLL_S))
        self._clock.advance_to(wake)
        return ready

    def _next_wake(self, timeout: float | None) -> float | None:
        wake = self._clock.next_wake()
        if not self._owns_timers or timeout is None:
            return wake
        timer = self._clock.now() + timeout
        return timer if wake is None else min(wake, timer)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()


def run(main: Coroutine[Any, Any, T], clock: ManualClock) -> T:
    """Run ``main`` to its end on an event loop of its own, ``clock`` jumping from sleeper to sleeper.

    Work in threads and subprocesses counts as time only while it is wrapped in ``clock.working()``.
    """
    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(_JumpingSelector(clock, selectors.DefaultSelector()))
    ) as runner:
        return runner.run(main)


class JumpingClock(ManualClock):
    """Be a manual clock that jumps by itself, on whichever event loop it is waited on.

    For programs that run on a loop of somebody else's, as tests do. From then on the loop's own timers go by this
    clock too, so ``asyncio.sleep`` takes no time either, and work in the loop's executor counts as taking none. What
    other processes do counts as time only while it is wrapped in ``working()``.
    """

    def __init__(self, start: float = 0.0) -> None:
        super().__init__(start)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._give_back: Callable[[], None] = _nothing

    async def sleep_until(self, t: float) -> None:
        self.take(asyncio.get_running_loop())
        await super().sleep_until(t)

    def take(self, loop: asyncio.AbstractEventLoop) -> None:
        """Make a loop jump, unless it does already.

        Raises:
            HandlerError: the loop is none of asyncio's own.
        """
        if loop is self._loop:
            return
        self.release()
        real: selectors.BaseSelector | None = getattr(loop, "_selector", None)
        if real is None:
            kind = f"{type(loop).__module__}.{type(loop).__qualname__}"
            raise HandlerError(f"A clock cannot make a {kind} jump: run the program on asyncio's own event loop.")
        loop_any = cast("Any", loop)  # there is no public way into a loop that runs
        ahead = loop.time() - self.now()
        run_in_executor = loop.run_in_executor

        def run_outside(executor: Any, function: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
            outside = self.working()
            outside.__enter__()
            future = run_in_executor(executor, function, *arguments)
            future.add_done_callback(lambda _: outside.__exit__(None, None, None))
            return future

        def give_back() -> None:
            loop_any._selector = real  # noqa: SLF001
            for name in ("time", "run_in_executor"):
                delattr(loop_any, name)

        loop_any._selector = _JumpingSelector(self, real, owns_timers=True)  # noqa: SLF001
        loop_any.time = lambda: self.now() + ahead
        loop_any.run_in_executor = run_outside
        self._loop, self._give_back = loop, give_back

    def release(self) -> None:
        """Give the loop back as it was."""
        self._give_back()
        self._loop, self._give_back = None, _nothing


def _nothing() -> None:
    """There is no loop to give back."""
