"""Own tasks: whoever starts one keeps it, ends it, and raises what it died of. Wait with a limit on a clock."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from .clock import Clock
from .errors import HandlerError

T = TypeVar("T")

_logger = logging.getLogger(__name__)


class TaskOwner:
    """Run background work that must not die unseen.

    The first failure ends the main work that ``guard`` runs, which raises it; where nothing is guarded, ``check``
    raises it. Each failure is raised once; further ones are logged.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._guarded: asyncio.Task[Any] | None = None
        self._error: BaseException | None = None
        self._closed = False

    def spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Run ``work`` as a task of this owner.

        Raises:
            HandlerError: the owner is closed.
        """
        if self._closed:
            work.close()
            raise HandlerError(f"The background work '{name}' was started after its hooked connection had ended.")
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def guard(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run the main work; end it and raise when spawned work fails or the owner closes.

        Raises:
            asyncio.CancelledError: the owner was closed meanwhile.
            HandlerError: main work is under way already.
        """
        if self._closed or self._guarded is not None:
            state = "has ended" if self._closed else "is being received from already"
            raise HandlerError(f"keep_receiving() was called while its hooked connection {state}.")
        self.check()
        self._guarded = asyncio.get_running_loop().create_task(work(), name="keep_receiving")
        try:
            return await self._guarded
        except asyncio.CancelledError:
            self.check()
            raise
        finally:
            guarded, self._guarded = self._guarded, None
            guarded.cancel()

    def check(self) -> None:
        """Raise the failure that nobody has seen yet, if there is one."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def log_unseen(self) -> None:
        """Log the failure that nobody has seen yet, where another error is on its way already."""
        error, self._error = self._error, None
        if error is not None:
            _logger.error("Background work failed, too", exc_info=error)

    def close(self) -> None:
        """Cancel everything; it is gone when the event loop has turned."""
        self._closed = True
        for task in (*self._tasks, *((self._guarded,) if self._guarded else ())):
            task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        error.add_note(f"in the background work '{task.get_name()}'")
        if self._closed or self._error is not None:
            _logger.error("Background work failed: %s", task.get_name(), exc_info=error)
            return
        self._error = error
        if self._guarded is not None:
            self._guarded.cancel()


async def within(seconds: float, clock: Clock, work: Coroutine[Any, Any, T]) -> T:
    """Await ``work``, but no longer than ``seconds`` of the clock.

    Raises:
        TimeoutError: the time was up; the work has been cancelled.
    """
    loop = asyncio.get_running_loop()
    working = loop.create_task(work)
    alarm = loop.create_task(clock.sleep_until(clock.now() + seconds))
    try:
        await asyncio.wait({working, alarm}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise TimeoutError(f"It took longer than {seconds:g} s.")
        return working.result()
    finally:
        working.cancel()
        alarm.cancel()
        await asyncio.gather(working, alarm, return_exceptions=True)
