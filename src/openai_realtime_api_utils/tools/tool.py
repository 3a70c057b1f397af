"""Be a function that a model can call, with what its caller must know of it."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast, overload

from ..errors import ToolError
from .context import ToolContext
from .docstring import read_docstring

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What the API takes for a function's name (API reference)."""


@dataclass(frozen=True)
class Tool:
    """Be one tool. ``tool`` makes it of a function; it can still be called as that function."""

    name: str
    description: str
    parameters: Mapping[str, Any] = field(repr=False)
    """The JSON schema of its arguments."""
    prepare: Callable[[str, ToolContext], Callable[[], Any]] = field(repr=False)
    """Makes the call of arguments in JSON; raises ``ToolError`` where they are wrong."""
    is_async: bool
    """Whether the call is a coroutine, to be run on the event loop; else it runs in a thread."""
    function: Callable[..., Any] | None = field(default=None, repr=False)
    timeout_s: float | None = None
    """How long a call may run; None leaves it to ``CallTools``."""
    cancel_on_barge_in: bool = False
    """Whether a call ends when the user begins to speak."""
    background: bool = False
    """Whether the model is answered at once, and told the result later."""
    needs_approval: bool = False
    """Whether somebody is asked before each call."""
    after_speech: bool = False
    """Whether a call waits until what was said before it has been heard."""

    @property
    def definition(self) -> dict[str, Any]:
        """The tool as a session's ``tools`` have it."""
        return {
            "type": "function",
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself."""
        if self.function is None:
            raise ToolError(f"The tool {self.name} is not a function of this program: only a model can call it.")
        return self.function(*args, **kwargs)


@overload
def tool(
    function: Callable[..., Any],
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
    cancel_on_barge_in: bool = False,
    background: bool = False,
    needs_approval: bool = False,
    after_speech: bool = False,
) -> Tool: ...
@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
    cancel_on_barge_in: bool = False,
    background: bool = False,
    needs_approval: bool = False,
    after_speech: bool = False,
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    timeout_s: float | None = None,
    cancel_on_barge_in: bool = False,
    background: bool = False,
    needs_approval: bool = False,
    after_speech: bool = False,
) -> Any:
    """Make a tool of a function, sync or async, a method, a partial or any object that can be called.

    Its schema comes from its signature: annotations, defaults, ``Annotated[..., Field(...)]``; descriptions from there
    and from its docstring. A parameter annotated with ``ToolContext`` is filled in and not shown to the model.

    Args:
        function: the function; without it, this is a decorator.
        name: the function's own by default.
        description: the docstring's by default, without its sections.
        timeout_s: how long a call may run; by default what ``CallTools`` says.
        cancel_on_barge_in: a call ends when the user begins to speak.
        background: the model is answered at once, and told the result later.
        needs_approval: somebody is asked before each call.
        after_speech: a call waits until what was said before it has been heard, and is not run if it was cut off.

    Raises:
        ToolError: it cannot be a tool; says why.
    """
    options = {
        "timeout_s": timeout_s,
        "cancel_on_barge_in": cancel_on_barge_in,
        "background": background,
        "needs_approval": needs_approval,
        "after_speech": after_speech,
    }
    if function is None:

        def decorate(each: Callable[..., Any]) -> Tool:
            return _made(each, name, description, options)

        return decorate
    return _made(function, name, description, options)


def as_tools(functions: Iterable[Callable[..., Any] | Tool]) -> dict[str, Tool]:
    """Return tools by their name.

    Raises:
        ToolError: one cannot be a tool, or two have one name.
    """
    tools: dict[str, Tool] = {}
    for each in functions:
        made = each if isinstance(each, Tool) else tool(each)
        if made.name in tools:
            raise ToolError(f"There are two tools named {made.name}: give one another name with  tool(f, name=...)")
        tools[made.name] = made
    return tools


def _made(function: Callable[..., Any], name: str | None, description: str | None, options: dict[str, Any]) -> Tool:
    from .signature import signature_of

    if isinstance(function, Tool):
        given = {"name": name, "description": description, **options}
        return replace(function, **{key: value for key, value in given.items() if value})
    if not callable(function):
        raise ToolError(f"{function!r} cannot be a tool, for it cannot be called: give a function.")
    inner = _unwrapped(function)
    name = name or str(getattr(inner, "__name__", type(inner).__name__))
    if not _NAME.fullmatch(name):
        raise ToolError(
            f"A tool cannot be named {name!r}: give it a name of letters and digits with  tool(f, name=...)"
        )
    documented = read_docstring(getattr(inner, "__doc__", None))
    signature = signature_of(function, name, documented.parameters)

    def prepare(arguments: str, context: ToolContext) -> Callable[[], Any]:
        return signature.bind(function, arguments, context)

    return Tool(
        name=name,
        description=documented.description if description is None else description,
        parameters=signature.schema,
        prepare=prepare,
        is_async=_is_async(inner),
        function=function,
        **options,
    )


def _unwrapped(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = cast("functools.partial[Any]", function).func
    return function


def _is_async(function: Any) -> bool:
    call = function if inspect.isroutine(function) else getattr(function, "__call__", function)  # noqa: B004
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
