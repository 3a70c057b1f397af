"""Own a worker process: start it when it is first needed, ask it one thing at a time, leave nothing of it behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from typing import NamedTuple

from ...clock import Clock
from ...errors import SimulatorError
from .exchange import HEADER


class _Running(NamedTuple):
    """Hold a process with both its pipes, which asyncio declares optional."""

    process: Process
    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader


class Worker:
    """Run a module of ours in a process of its own and exchange messages with it.

    Work that would hold the GIL, and libraries that must not be loaded here, live there. A worker that died is
    started anew by the next request. A request may be cancelled at any time: its answer is skipped later.
    """

    def __init__(self, module: str, arguments: Sequence[str] = (), *, name: str, clock: Clock) -> None:
        """Prepare a worker; nothing is started yet.

        Args:
            module: dotted name of the module to run; it calls ``exchange.serve``.
            arguments: what it finds in ``sys.argv``.
            name: what messages call it.
            clock: stands still while the worker works, if it is one that jumps.
        """
        self._module = module
        self._arguments = arguments
        self._name = name
        self._clock = clock
        self._running: _Running | None = None
        self._turn = asyncio.Lock()
        self._owed = 0  # answers on their way that nobody has taken yet
        self._header: tuple[int, bool] | None = None  # of the answer that is being read
        self._closed = False

    async def ask(self, request: bytes) -> bytes:
        """Send a request and return its answer.

        Raises:
            SimulatorError: the worker could not be started, has died, has failed at this request, or is closed.
        """
        with self._clock.working():
            async with self._turn:
                running = self._running = self._running or await self._start()
                try:
                    ok, answer = await self._exchange(running, request)
                except (OSError, EOFError) as cause:
                    how = _ending(await self._end(running))
                    raise SimulatorError(
                        f"The local {self._name} ended by itself ({how}): the next use starts another."
                    ) from cause
        if not ok:
            raise SimulatorError(f"The local {self._name} failed: {answer.decode(errors='replace')}")
        return answer

    async def close(self) -> None:
        """End the process and wait until it is gone. Whoever waits for an answer gets an error."""
        self._closed = True
        if self._running is not None and (self._owed or self._turn.locked()):
            _kill(self._running.process)  # it is in the midst of something that nobody wants any more
        with self._clock.working():
            async with self._turn:  # if this is cancelled, whoever holds the turn ends the process
                if self._running is not None:
                    await self._end(self._running)

    async def _start(self) -> _Running:
        if self._closed:
            raise SimulatorError(f"The local {self._name} is closed.")
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", self._module, *self._arguments),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},  # it finds what we find
                start_new_session=True,  # Ctrl-C in the terminal is ours to handle
            )
        except OSError as cause:
            raise SimulatorError(f"The local {self._name} could not be started: {cause}") from cause
        if process.stdin is None or process.stdout is None:
            raise SimulatorError(f"The local {self._name} was started without pipes.")
        running = _Running(process, process.stdin, process.stdout)
        if self._closed:  # meanwhile
            _kill(process)
            await self._end(running)
            raise SimulatorError(f"The local {self._name} is closed.")
        return running

    async def _exchange(self, running: _Running, request: bytes) -> tuple[bool, bytes]:
        while self._owed:  # before writing: a worker that is busy answering does not read
            await self._answer(running)
        running.stdin.write(HEADER.pack(len(request), True) + request)
        self._owed += 1
        await running.stdin.drain()
        return await self._answer(running)

    async def _answer(self, running: _Running) -> tuple[bool, bytes]:
        """Take the next answer. It can be cancelled at each await and called again without losing its place."""
        if self._header is None:
            self._header = HEADER.unpack(await running.stdout.readexactly(HEADER.size))
        length, ok = self._header
        body = await running.stdout.readexactly(length)
        self._header = None
        self._owed -= 1
        return ok, body

    async def _end(self, running: _Running) -> int:
        """Close the pipes and reap the process, however often this is cancelled; return its exit code."""
        self._running, self._owed, self._header = None, 0, None
        running.stdin.close()
        cancelled: asyncio.CancelledError | None = None
        code: int | None = None
        while code is None:
            try:
                await running.stdout.read()  # to its end, and first: a worker that cannot write does not end
                code = await running.process.wait()
            except asyncio.CancelledError as asked:
                cancelled = asked
                _kill(running.process)
        if cancelled is not None:
            raise cancelled
        return code


def _kill(process: Process) -> None:
    """End the process at once, and with it what it has started (it leads a process group of its own)."""
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except ProcessLookupError:
        pass


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"killed by signal {-code}"
