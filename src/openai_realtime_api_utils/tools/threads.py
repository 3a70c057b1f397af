"""Run functions in daemon threads of our own: one that hangs holds up neither the event loop nor the program's end.

asyncio's default executor would do neither: its few threads are shared with name resolution, and joined at exit.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from ..errors import ToolError
from ..thread_switching import thread_switching
from .computing import computing

MOST_ABANDONED = 32
"""How many threads may hang in tools that nobody waits for any more. Past that, functions are refused."""

_SWITCH_S = 0.0001
"""How long a busy thread may keep the interpreter while functions run, in seconds. With Python's own 5 ms every busy
thread holds the event loop up by that, each time it is its turn (``make bench ONLY=tools`` measures it)."""


class DaemonThreads:
    """Start a thread for each call; whoever limits the calls limits the threads."""

    def __init__(self) -> None:
        self._abandoned: Counter[str] = Counter()

    @property
    def abandoned(self) -> int:
        """How many threads run on although nobody waits for them."""
        return self._abandoned.total()

    async def run(self, work: Callable[[], Any], *, name: str) -> Any:
        """Return what ``work`` returns, run in a thread; whatever it raises is raised here, even what ends a thread.

        If the caller is cancelled, the thread is left to itself.

        Raises:
            ToolError: too many threads were left to themselves and still run.
        """
        if self.abandoned >= MOST_ABANDONED:
            hanging = ", ".join(f"{tool} ({n})" for tool, n in self._abandoned.most_common(3))
            raise ToolError(
                f"{name} was not run: {self.abandoned} threads hang in tools that never returned: {hanging}.",
                for_model="The tool cannot be run now: earlier calls are still hanging.",
            )
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        context = contextvars.copy_context()

        def tell(result: Any, error: BaseException | None) -> None:
            if done.cancelled():
                self._abandoned[name] -= 1
                self._abandoned += Counter()
            elif error is None:
                done.set_result(result)
            else:
                done.set_exception(_Raised(error))

        def run() -> None:
            result, error = None, None
            try:
                with thread_switching.at_most(_SWITCH_S), computing.turn():
                    if not done.cancelled():  # else it was given up while it waited for its turn
                        result = context.run(work)
            except BaseException as raised:  # noqa: BLE001  (whatever a tool does to its thread, its caller is told)
                error = raised
            try:
                loop.call_soon_threadsafe(tell, result, error)
            except RuntimeError:
                return  # the event loop is closed: nobody is left to be told

        threading.Thread(target=run, name=f"tool {name}", daemon=True).start()
        try:
            return await done
        except _Raised as raised:
            raise raised.error from None
        except asyncio.CancelledError:
            if done.cancelled():
                self._abandoned[name] += 1
            raise


class _Raised(Exception):
    """Carry what a future refuses to hold (``StopIteration``) or the event loop would die of (``SystemExit``)."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error
