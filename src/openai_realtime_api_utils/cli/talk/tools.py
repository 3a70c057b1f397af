"""Find the tools that ``realtime talk`` offers: the functions of modules, and those of MCP servers."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from ...clock import Clock
from ...events import redact_text
from ...middlewares import CallTools, TrackConversation
from ...middlewares.audio_player import AudioPlayer
from ...tools.mcp_server import mcp_server
from ...tools.runner import ApprovalRequest, CallRecord, Decision
from ...tools.tool import Tool
from ..saying import CommandError
from .moments import Called, Chose, Tell
from .options import TalkOptions


@asynccontextmanager
async def find_tools(options: TalkOptions, clock: Clock, tell: Tell) -> AsyncGenerator[list[Any]]:
    """Load the modules and start the servers that the options name; the servers end with the block.

    Raises:
        CommandError: a module cannot be loaded, or holds no functions.
        ToolError: a server cannot be used.
        MissingExtraError: there is a server, and the package ``mcp`` is not installed.
    """
    async with AsyncExitStack() as stack:
        tools: list[Any] = []
        for name in options.tools:
            found = _functions_of(_loaded(name), name)
            tell(Chose("tools", _names(found), f"--tools {name}"))
            tools += found
        for command in options.mcp:
            server = await stack.enter_async_context(mcp_server(command, clock=clock))
            tell(Chose("tools", ", ".join(tool.name for tool in server.tools) or "none", f"--mcp {command}"))
            tools.append(server)
        yield tools


def make_call_tools(
    tools: list[Any],
    options: TalkOptions,
    conversation: TrackConversation,
    audio_player: AudioPlayer,
    clock: Clock,
    tell: Tell,
) -> CallTools:
    """Make the middleware, every call of which is told."""

    async def approve(request: ApprovalRequest) -> Decision:
        return Decision(options.approve, None if options.approve else "realtime talk was started without --approve")

    def tell_call(call: CallRecord) -> None:
        output = None if call.output is None else redact_text(call.output)
        tell(Called(call.call_id, call.name, redact_text(call.arguments), call.status, output, call.seconds))

    return CallTools(
        tools,
        track_conversation=conversation,
        audio_player=audio_player,
        approve=approve,
        on_call=[tell_call],
        clock=clock,
    )


def _loaded(name: str) -> ModuleType:
    """Load a module by its name or path.

    Raises:
        CommandError: there is none, or it cannot be loaded.
    """
    is_path = name.endswith(".py")
    if is_path and not Path(name).is_file():
        raise CommandError(f"There is no file {name}: give --tools a module or the path of a Python file.")
    sys.path.insert(0, str(Path(name).parent.resolve() if is_path else Path.cwd()))
    module = Path(name).stem if is_path else name
    try:
        return importlib.import_module(module)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and error.name == module:
            raise CommandError(f"There is no module {name}: give --tools a module or the path of a file.") from error
        raise CommandError(f"{name} cannot be loaded: {type(error).__name__}: {error}.") from error


def _functions_of(module: ModuleType, name: str) -> list[Callable[..., Any] | Tool]:
    """Return what a module offers: its ``__all__``, else its own public functions and tools."""
    listed: list[str] | None = getattr(module, "__all__", None)
    names = [each for each in vars(module) if not each.startswith("_")] if listed is None else listed
    found: list[Any] = [getattr(module, each, None) for each in names]
    tools = [value for value in found if isinstance(value, Tool) or _is_own(value, module, listed)]
    if not tools:
        raise CommandError(f"{name} has no public functions: --tools offers those that the module itself defines.")
    return tools


def _is_own(value: Any, module: ModuleType, listed: list[str] | None) -> bool:
    return inspect.isroutine(value) and (listed is not None or getattr(value, "__module__", None) == module.__name__)


def _names(tools: list[Any]) -> str:
    return ", ".join(tool.name if isinstance(tool, Tool) else tool.__name__ for tool in tools)
