"""Run calls: so many at a time, each within its time, none of them able to hurt the session."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from ..clock import Clock
from ..errors import ToolError
from .context import ToolContext
from .failure import scrubbed, told_to_model
from .result import as_output
from .threads import DaemonThreads
from .tool import Tool

_MOST_WAITING = 256
"""How many calls may wait for their turn; past that a call is answered as not run."""

_logger = logging.getLogger(__name__)

Ending: TypeAlias = Literal["answered", "failed", "timed_out", "cancelled", "refused"]


class Outcome(NamedTuple):
    """Say how a call ended."""

    ending: Ending
    output: str
    """What the model is told."""
    error: BaseException | None = None


@dataclass(frozen=True)
class CallRecord:
    """Be what became of a call so far, for whoever logs or shows it."""

    call_id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""
    status: str = "running"
    """``running``; then ``answered``, ``failed``, ``timed_out``, ``cancelled`` or ``refused``."""
    output: str | None = None
    """What the model was told."""
    seconds: float = 0.0
    """How long it took."""
    error: BaseException | None = None
    """What a tool that failed raised."""


@dataclass(frozen=True)
class ApprovalRequest:
    """Be what somebody is asked before a call is made."""

    name: str
    arguments: str
    """JSON, as the model wrote it."""
    call_id: str
    server_label: str | None = None
    """The MCP server that the service would call; None for a tool of this program."""


class Decision(NamedTuple):
    """Be the answer to an ``ApprovalRequest``, where a bare bool does not say enough."""

    is_approved: bool
    reason: str | None = None


Approve: TypeAlias = Callable[[ApprovalRequest], "Awaitable[bool | Decision]"]


class ToolRunner:
    """Run calls of tools. Whatever a tool does, ``run`` returns an outcome."""

    def __init__(self, *, timeout_s: float, max_parallel: int, approve: Approve | None, clock: Clock) -> None:
        if max_parallel < 1:
            raise ToolError(f"max_parallel is {max_parallel}, but at least 1 call must be able to run.")
        if not timeout_s > 0:
            raise ToolError(f"timeout_s is {timeout_s}, but a call needs some time: give seconds above 0.")
        self._timeout_s = timeout_s
        self._approve = approve
        self._clock = clock
        self._turn = asyncio.Semaphore(max_parallel)
        self._waiting = 0
        self._threads = DaemonThreads()

    async def run(self, tool: Tool, context: ToolContext, may_start: Callable[[], Awaitable[str | None]]) -> Outcome:
        """Run one call.

        Args:
            tool: what is called.
            context: the call.
            may_start: returns when the call may start; a sentence, if it is not to be run at all.
        """
        try:
            work = tool.prepare(context.arguments, context)
            refusal = await may_start()
            if refusal is None and tool.needs_approval:
                refusal = await self.refusal(ApprovalRequest(context.name, context.arguments, context.call_id))
            if refusal is not None:
                return Outcome("refused", refusal)
            return await self._in_turn(tool, work, context)
        except (Exception, SystemExit) as error:  # noqa: BLE001  (the tool's failures are the model's to hear of)
            return self._failure(tool, error)

    async def refusal(self, request: ApprovalRequest) -> str | None:
        """Ask for approval; return what the model is told where it is refused."""
        if self._approve is None:
            return "The call was not approved: nobody is there to ask."
        try:
            answer = await self._approve(request)
        except Exception as error:  # noqa: BLE001  (who cannot be asked has not approved)
            _logger.warning("Nobody could be asked to approve %s: %s", request.name, told_to_model(error))
            return "The call was not approved: the user could not be asked."
        decision = answer if isinstance(answer, Decision) else Decision(bool(answer))
        if decision.is_approved:
            return None
        return f"The user did not approve the call{f': {decision.reason}' if decision.reason else '.'}"

    async def _in_turn(self, tool: Tool, work: Callable[[], Any], context: ToolContext) -> Outcome:
        if self._waiting >= _MOST_WAITING:
            raise ToolError(f"{tool.name} was not run: {self._waiting} calls wait already. Call again later.")
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            return await self._in_time(tool, work, context)
        finally:
            self._turn.release()

    async def _in_time(self, tool: Tool, work: Callable[[], Any], context: ToolContext) -> Outcome:
        """Run the work; at the end of its time leave it to itself, even if it does not let itself be cancelled."""
        limit_s = self._timeout_s if tool.timeout_s is None else tool.timeout_s
        working = context.send.spawn(self._outcome(tool, work), name=f"tool {tool.name}")
        alarm = context.send.spawn(self._clock.sleep_until(self._clock.now() + limit_s), name=f"timeout of {tool.name}")
        try:
            await asyncio.wait({working, alarm}, return_when=asyncio.FIRST_COMPLETED)
            if working.done() and not working.cancelled():
                return working.result()
        finally:
            if not working.done():
                context.is_cancelled.set()
                working.cancel()
            alarm.cancel()
        if working.cancelled():
            return self._failure(tool, ToolError(f"The tool {tool.name} cancelled itself."))
        _logger.warning("The tool %s was given up after %g s.", tool.name, limit_s)
        return Outcome("timed_out", f"The tool did not answer within {limit_s:g} s and was given up.", TimeoutError())

    async def _outcome(self, tool: Tool, work: Callable[[], Any]) -> Outcome:
        try:
            if tool.is_async:
                return Outcome("answered", as_output(await work(), tool.name))
            with self._clock.working():
                output = await self._threads.run(lambda: _called(work, tool.name), name=tool.name)
            return Outcome("answered", output if isinstance(output, str) else as_output(await output, tool.name))
        except (Exception, SystemExit) as error:  # noqa: BLE001  (the tool's failures are the model's to hear of)
            return self._failure(tool, error)

    def _failure(self, tool: Tool, error: BaseException) -> Outcome:
        told = told_to_model(error)
        _logger.warning("The tool %s failed: %s", tool.name, scrubbed(str(error)) if str(error) else told)
        _logger.debug("This is where the tool %s failed.", tool.name, exc_info=error)
        return Outcome("failed", f"The tool failed. {told}" if not isinstance(error, ToolError) else told, error)


def _called(work: Callable[[], Any], name: str) -> Any:
    """Call the function, and write down its result where that costs the event loop nothing."""
    result = work()
    return result if inspect.isawaitable(result) else as_output(result, name)
