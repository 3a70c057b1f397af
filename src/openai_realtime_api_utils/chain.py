"""Fold a list of handlers into one handler.

The laws, each a property in the tests: the empty list is the identity; concatenated lists compose; ``None`` absorbs;
order is kept; an exception leaves with a note that names the handler, the event's type and its id.

The loop runs some thousand times a second, so what is true of a well-behaved synchronous handler is checked first, and
all else only where that fails. Nothing is awaited, and no coroutine made, unless a handler asks for it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

from .errors import HandlerError
from .handlers import Metadata, types_of
from .slow_handlers import SlowHandlers

_Result: TypeAlias = tuple[Any, Metadata]
Chain: TypeAlias = Callable[[Any, Metadata, Any], "_Result | Awaitable[_Result]"]
"""A handler, and so is a folded list: it returns at once, or an awaitable if one of the list does."""


class _Step(NamedTuple):
    handler: Chain
    name: str
    position: int


def chain(handlers: Iterable[Chain], slow: SlowHandlers | None = None) -> Chain:
    """Fold handlers into one handler that calls them in order, each for the types of events that it is for.

    Args:
        handlers: are called in this order.
        slow: is told of a handler that takes too long.

    Raises:
        HandlerError: one of them is not callable; or, when called, one returns something else than
            ``(event or None, metadata)``.
    """
    return _Fold([_Step(_checked(handler), _name(handler), i) for i, handler in enumerate(handlers)], slow).handle


class _Fold:
    """Be a folded list."""

    def __init__(self, steps: Sequence[_Step], slow: SlowHandlers | None) -> None:
        types = {step: types_of(step.handler) for step in steps}
        named = frozenset[str]().union(*filter(None, types.values()))
        self._by_type = {kind: tuple(s for s in steps if (of := types[s]) is None or kind in of) for kind in named}
        self._of_other_types = tuple(step for step in steps if types[step] is None)
        self._now, self._limit_s = (_no_time, 1.0) if slow is None else (slow.now, slow.limit_s)
        self._slow = slow

    def handle(self, event: Any, metadata: Metadata, connection: Any, behind: int = -1) -> Any:
        """Call those behind a position that are for the event's type; after a change of type, those for the new one."""
        kind = _type_of(event)
        steps = self._by_type.get(kind, self._of_other_types)
        if behind >= 0:
            steps = tuple(step for step in steps if step.position > behind)
        now, limit_s = self._now, self._limit_s
        name, position, began = "", behind, now()
        try:
            for handler, name, position in steps:
                result = handler(event, metadata, connection)
                if type(result) is not tuple:
                    if not isinstance(result, tuple) and inspect.isawaitable(result):
                        return self._wait(result, name, position, began, event, connection)
                    _check(result, name, event)
                try:
                    after, metadata = result
                except ValueError:
                    _check(result, name, event)
                    raise
                if type(metadata) is not dict:
                    _check(result, name, event)
                ended = now()
                if ended - began > limit_s:
                    self._took(name, ended - began, event, awaited=False)
                began = ended
                if after is not event:
                    event = after
                    if event is None or _type_of(event) != kind:
                        break
            else:
                return event, metadata
        except Exception as error:
            _note(error, name, event)
            raise
        return (event, metadata) if event is None else self.handle(event, metadata, connection, position)

    async def _wait(
        self, awaited: Awaitable[_Result], name: str, position: int, began: float, given: Any, connection: Any
    ) -> _Result:
        try:
            result = await awaited
            _check(result, name, given)
        except Exception as error:
            _note(error, name, given)
            raise
        taken_s = self._now() - began
        if taken_s > self._limit_s:
            self._took(name, taken_s, given, awaited=True)
        event, metadata = result
        if event is None:
            return result
        rest = self.handle(event, metadata, connection, position)
        return await rest if inspect.isawaitable(rest) else rest

    def _took(self, name: str, seconds: float, event: Any, *, awaited: bool) -> None:
        if self._slow is not None:
            self._slow.took(name, seconds, _type_of(event), awaited=awaited)


def _no_time() -> float:
    return 0.0


def _note(error: Exception, name: str, event: Any) -> None:
    error.add_note(f"in the handler {name}, on the event {_type_of(event)} with the id {_id_of(event)}")


def _check(result: Any, name: str, event: Any) -> None:
    if isinstance(result, tuple) and len(pair := cast("tuple[Any, ...]", result)) == 2 and isinstance(pair[1], dict):
        return
    raise HandlerError(
        f"The handler {name} returned {_short(cast('object', result))} for {_type_of(event)}, but a handler returns "
        f"(event or None, metadata): end it with  return event, metadata"
    )


def _checked(handler: Any) -> Chain:
    if callable(handler):
        return cast("Chain", handler)
    inside = [n for n in ("server_event_handler", "client_event_handler") if hasattr(handler, n)]
    mend = f"pass its .{inside[0]}" if inside else "pass a function (event, metadata, connection)"
    raise HandlerError(f"{_short(handler)} is not a handler: {mend}.")


def _name(handler: Any) -> str:
    while isinstance(handler, functools.partial):
        handler = cast("functools.partial[Any]", handler).func
    if inspect.ismethod(handler):
        return f"{type(handler.__self__).__qualname__}.{handler.__name__}"
    return str(getattr(handler, "__qualname__", type(handler).__qualname__))


def _type_of(event: Any) -> str:
    kind: Any = event.get("type") if isinstance(event, dict) else getattr(event, "type", type(event).__name__)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return kind if type(kind) is str else str(kind)  # pyright: ignore[reportUnknownArgumentType]


def _id_of(event: Any) -> str:
    return str(event.get("event_id") if isinstance(event, dict) else getattr(event, "event_id", None))  # pyright: ignore[reportUnknownMemberType,reportUnknownArgumentType]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."
