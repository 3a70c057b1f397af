"""Use the tools of an MCP server of one's own: a program started here, or an address on the network."""

from __future__ import annotations

import asyncio
import logging
import re
import shlex
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from ..clock import Clock, SystemClock
from ..errors import ToolError, require
from ..tasks import TaskOwner, within
from .complaints import Complaints
from .context import ToolContext
from .failure import scrubbed
from .result import bounded
from .tool import Tool

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME = 64
"""How long a function's name may be (API reference)."""

_MOST_PAGES = 64
"""How many pages of a list of tools are read: a server that never ends its list would hold up the program."""

_logger = logging.getLogger(__name__)


class McpServer:
    """Be a running MCP server. ``mcp_server`` makes one."""

    def __init__(self, name: str, clock: Clock, last_words: Callable[[], str] = str) -> None:
        self.name = name
        self._clock = clock
        self._last_words = last_words
        self.tools: tuple[Tool, ...] = ()
        """Its tools, as it last listed them."""
        self.changed = asyncio.Event()
        """Is set when its tools have become others; then there is another event here, for the next time."""
        self.client: Any = None
        """The ``mcp`` package's own client; None when it has ended."""

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """Call one of its tools, and return what a model is told.

        Raises:
            ToolError: the tool failed, or the server has ended.
        """
        if self.client is None:
            raise self._ended()
        try:
            with self._clock.working():
                result = await self.client.call_tool(tool, dict(arguments))
        except Exception as error:
            if not await self.lives():
                raise self._ended() from error
            raise ToolError(f"{tool} of {self.name} failed: {scrubbed(str(error))}") from error
        text = _text_of(result)
        if result.is_error:
            raise ToolError(f"{tool} of {self.name} failed: {scrubbed(text)}", for_model=text)
        return text

    def has_listed(self, tools: Sequence[Tool]) -> None:
        """Take note of the tools that it has now."""
        is_news = [tool.definition for tool in tools] != [tool.definition for tool in self.tools]
        self.tools = tuple(tools)
        if is_news:
            changed, self.changed = self.changed, asyncio.Event()
            changed.set()

    async def lives(self) -> bool:
        """Return whether it still answers; that it does not is logged, once."""
        if self.client is None:
            return False
        try:
            await self.client.list_tools()  # MCP has no ping any more
        except Exception as error:  # noqa: BLE001  (however it ended, it has)
            self.has_ended(error)
        return self.client is not None

    def has_ended(self, error: Exception) -> None:
        """Take note that it has ended, and log it."""
        if self.client is not None:
            self.client = None
            _logger.warning("The MCP server %s has ended (%s).%s", self.name, _why(error), self._last_words())

    def _ended(self) -> ToolError:
        return ToolError(f"The MCP server {self.name} has ended: its tools cannot be called any more.")


@asynccontextmanager
async def mcp_server(
    where: str | Sequence[str],
    *,
    name: str | None = None,
    prefix: str = "",
    env: Mapping[str, str] | None = None,
    start_timeout_s: float = 30,
    clock: Clock | None = None,
) -> AsyncGenerator[McpServer]:
    """Start or reach an MCP server for the length of a block. One that ends before is reported once, and in its calls.

    Args:
        where: a command line, whose program speaks MCP on standard input and output; or an ``http://`` or ``https://``
            address of one that speaks streamable HTTP.
        name: what it is called in messages; the command or address by default.
        prefix: goes before the names of its tools, so that those of two servers do not collide.
        env: variables for the program beside the few that MCP passes on.
        start_timeout_s: how long it may take to begin.
        clock: the machine's own by default.

    Raises:
        MissingExtraError: the package ``mcp`` is not installed.
        ToolError: it cannot be started or reached, or does not speak MCP.
    """
    require("mcp", extra="mcp", needed_by="mcp_server")
    if not where:
        raise ToolError("An MCP server was given as nothing: give a command line, or an http:// address.")
    clock = clock or SystemClock()
    with Complaints() as complaints:
        told = where if isinstance(where, str) else shlex.join(where)
        server = McpServer(name or told, clock, lambda: complaints.last)
        holding = _Holding(server, where, prefix, dict(env or {}), complaints)
        try:
            try:
                with clock.working():
                    await within(start_timeout_s, clock, holding.begun())
            except Exception as error:
                too_late = f"it did not answer within {start_timeout_s:g} s"
                why = too_late if isinstance(error, TimeoutError) else _why(error)
                raise ToolError(f"The MCP server {server.name} could not be used: {why}.{complaints.last}") from error
            yield server
        finally:
            with clock.working():
                await holding.end()


class _Holding:
    """Hold the connection to a server in a task of its own, so that its end ends nothing else."""

    def __init__(
        self, server: McpServer, where: str | Sequence[str], prefix: str, env: dict[str, str], complaints: Complaints
    ) -> None:
        self._server = server
        self._where = where
        self._prefix = prefix
        self._env = env
        self._complaints = complaints
        self._owner = TaskOwner()
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._may_end = asyncio.Event()
        self._running = self._owner.spawn(self._run(), name=f"MCP server {server.name}")

    async def begun(self) -> None:
        """Return when the server has listed its tools; raise what keeps it from that."""
        await self._ready

    async def end(self) -> None:
        """Take leave of the server, or give it up where it has not begun."""
        self._may_end.set()
        if not self._ready.done() or self._ready.cancelled():
            self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        self._owner.close()

    async def _run(self) -> None:
        import mcp

        server = self._server
        try:
            transport = _transport(self._where, self._env, self._complaints)
            async with mcp.Client(transport, cache=None, message_handler=self._told) as client:
                await self._list(client)
                server.client = client
                self._ready.set_result(None)
                self._owner.spawn(self._listen(client), name=f"listen to MCP server {server.name}")
                if not _is_address(self._where):
                    self._complaints.on_end(self._look)
                await self._may_end.wait()
                server.client = None  # its end is no news any more
        except Exception as error:  # noqa: BLE001  (whatever ends it, its end is reported)
            if not self._ready.done():
                self._ready.set_exception(error)
            elif not self._may_end.is_set():
                server.has_ended(error)
        finally:
            server.client = None

    async def _listen(self, client: Any) -> None:
        """List the tools again whenever the server says that they have changed, as those since 2026-07-28 say it."""
        try:
            async with client.listen(tools_list_changed=True) as changes:
                await self._list(client)  # what has changed before is not told
                async for _ in changes:
                    await self._list(client)
        except Exception as error:  # noqa: BLE001  (it is an older one, or it does not tell, or it has ended)
            _logger.debug("The MCP server %s tells no changes here: %s", self._server.name, _why(error))

    async def _told(self, message: Any) -> None:
        """Take what a server says by itself: older ones say so when their tools have changed."""
        if getattr(message, "method", None) == "notifications/tools/list_changed" and self._server.client is not None:
            self._owner.spawn(self._list_again(self._server.client), name="list the tools again")

    async def _list_again(self, client: Any) -> None:
        try:
            await self._list(client)
        except Exception as error:  # noqa: BLE001  (then it has the tools that it had, or has ended, which is told)
            _logger.warning("The MCP server %s could not list its tools again: %s", self._server.name, _why(error))

    async def _list(self, client: Any) -> None:
        found: list[Tool] = []
        cursor = None
        for _ in range(_MOST_PAGES):
            listed = await client.list_tools(cursor=cursor)
            found += [_as_tool(self._server, each, self._prefix) for each in listed.tools]
            cursor = listed.next_cursor
            if cursor is None:
                break
        self._server.has_listed(found)

    def _look(self) -> None:
        """Look, from any thread, whether the server still lives."""
        try:
            self._loop.call_soon_threadsafe(self._look_now)
        except RuntimeError:
            return  # the event loop has ended before the program did

    def _look_now(self) -> None:
        if not self._may_end.is_set():  # its line closes with the block, too
            self._owner.spawn(self._server.lives(), name="look after the MCP server")


def _transport(where: str | Sequence[str], env: dict[str, str], complaints: Complaints) -> Any:
    import mcp

    if _is_address(where):
        return where
    command, *arguments = shlex.split(where) if isinstance(where, str) else where
    parameters = mcp.StdioServerParameters(command=command, args=arguments, env=env or None)
    return mcp.stdio_client(parameters, errlog=complaints.stream)


def _is_address(where: str | Sequence[str]) -> bool:
    return isinstance(where, str) and where.startswith(("http://", "https://"))


def _as_tool(server: McpServer, listed: Any, prefix: str) -> Tool:
    def prepare(arguments: str, _context: ToolContext) -> Callable[[], Any]:
        from pydantic_core import from_json

        try:
            given: object = from_json(arguments.strip() or "{}")
        except ValueError as error:
            raise ToolError(f"The arguments are not JSON: {error}. Correct them and call again.") from error
        if not isinstance(given, dict):
            raise ToolError("The arguments are not a JSON object. Correct them and call again.")
        return lambda: server.call(listed.name, cast("dict[str, Any]", given))

    return Tool(
        name=_NOT_IN_NAMES.sub("_", prefix + listed.name)[:_LONGEST_NAME],
        description=listed.description or "",
        parameters=listed.input_schema,
        prepare=prepare,
        is_async=True,
    )


def _text_of(result: Any) -> str:
    """Return what a model can read of a result."""
    parts = [
        part.text
        if part.type == "text"
        else f"[{part.type} {getattr(part, 'mime_type', None) or ''}]".replace(" ]", "]")
        for part in result.content
    ]
    if not parts and result.structured_content is not None:
        from pydantic_core import to_json

        return bounded(to_json(result.structured_content).decode())
    return bounded("\n".join(parts)) or "Done."


def _why(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    lines = scrubbed(str(error)).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
