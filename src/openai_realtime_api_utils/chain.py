"""Fold a list of handlers into one handler.

The laws, each a property in the tests: the empty list is the identity; concatenated lists compose; ``None`` absorbs;
order is kept; an exception leaves with a note that names the handler, the event's type and its id.

The loop runs some thousand times a second, so what is true of a well-behaved synchronous handler is checked first, and
all else only where that fails.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias, cast

from .errors import HandlerError
from .handlers import Metadata
from .slow_handlers import SlowHandlers

_Result: TypeAlias = tuple[Any, Metadata]
_Handler: TypeAlias = Callable[[Any, Metadata, Any], "_Result | Awaitable[_Result]"]
Chain: TypeAlias = Callable[[Any, Metadata, Any], Awaitable[_Result]]
"""A folded list; itself a handler."""


def chain(handlers: Iterable[_Handler], slow: SlowHandlers | None = None) -> Chain:
    """Fold handlers into one asynchronous handler that calls them in order.

    Args:
        handlers: are called in this order.
        slow: is told of a handler that takes too long.

    Raises:
        HandlerError: one of them is not callable; or, when called, one returns something else than
            ``(event or None, metadata)``.
    """
    named = tuple((handler, _name(handler)) for handler in map(_checked, handlers))
    now, limit_s = (_no_time, 1.0) if slow is None else (slow.now, slow.limit_s)

    async def folded(event: Any, metadata: Metadata, connection: Any) -> _Result:
        began = now()
        for handler, name in named:
            awaited = False
            try:
                result = handler(event, metadata, connection)
                if type(result) is not tuple:
                    if not isinstance(result, tuple) and inspect.isawaitable(result):
                        awaited, result = True, await result
                    _check(result, name, event)
                elif len(result) != 2 or type(result[1]) is not dict:
                    _check(result, name, event)
            except Exception as error:
                error.add_note(f"in the handler {name}, on the event {_type_of(event)} with the id {_id_of(event)}")
                raise
            ended = now()
            if ended - began > limit_s and slow is not None:
                slow.took(name, ended - began, _type_of(event), awaited=awaited)
            began = ended
            event, metadata = result
            if event is None:
                break
        return event, metadata

    return folded


def _no_time() -> float:
    return 0.0


def _check(result: Any, name: str, event: Any) -> None:
    if isinstance(result, tuple) and len(pair := cast("tuple[Any, ...]", result)) == 2 and isinstance(pair[1], dict):
        return
    raise HandlerError(
        f"The handler {name} returned {_short(cast('object', result))} for {_type_of(event)}, but a handler returns "
        f"(event or None, metadata): end it with  return event, metadata"
    )


def _checked(handler: Any) -> _Handler:
    if callable(handler):
        return cast("_Handler", handler)
    inside = [n for n in ("server_event_handler", "client_event_handler") if hasattr(handler, n)]
    mend = f"pass its .{inside[0]}" if inside else "pass a function (event, metadata, connection)"
    raise HandlerError(f"{_short(handler)} is not a handler: {mend}.")


def _name(handler: Any) -> str:
    while isinstance(handler, functools.partial):
        handler = cast("functools.partial[Any]", handler).func
    return str(getattr(handler, "__qualname__", type(handler).__qualname__))


def _type_of(event: Any) -> str:
    return str(event.get("type") if isinstance(event, dict) else getattr(event, "type", type(event).__name__))  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType]


def _id_of(event: Any) -> str:
    return str(event.get("event_id") if isinstance(event, dict) else getattr(event, "event_id", None))  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."
