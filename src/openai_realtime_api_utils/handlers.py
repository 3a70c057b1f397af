"""Be the whole plug-in system: two callable types, and the metadata that handlers share.

A handler sees one event and returns it, a replacement, or None to stop it there. A list of handlers is a program.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeAlias, TypeVar, overload, runtime_checkable

from .ports import Send

if TYPE_CHECKING:
    from openai.types.realtime import RealtimeServerEvent
    from openai.types.realtime.realtime_client_event_param import RealtimeClientEventParam

T = TypeVar("T")
D = TypeVar("D")
S = TypeVar("S")
H = TypeVar("H", bound="Callable[..., Any]")

Metadata: TypeAlias = "dict[Any, Any]"
"""What the handlers of one event tell those after them; fresh for every event. Plain strings are the user's."""

ServerResult: TypeAlias = "tuple[RealtimeServerEvent | None, Metadata]"
ClientResult: TypeAlias = "tuple[RealtimeClientEventParam | None, Metadata]"

ServerEventHandler: TypeAlias = "Callable[[RealtimeServerEvent, Metadata, Any], ServerResult | Awaitable[ServerResult]]"
"""Sees ``(event, metadata, connection)``; dispatch on ``event.type``, never on the event's class."""

ClientEventHandler: TypeAlias = (
    "Callable[[RealtimeClientEventParam, Metadata, Any], ClientResult | Awaitable[ClientResult]]"
)
"""Sees ``(event, metadata, connection)``, the event as a dict; None keeps it from being sent."""


_TYPES = "event_types"


def for_types(event_types: Iterable[str]) -> Callable[[H], H]:
    """Decorate a handler to be called for events of these types only; all others pass it by, at no cost.

    What a handler is called for is read once, when it is hooked. Whoever wraps or overrides a decorated handler sees
    all events, unless that is decorated too.
    """
    types = frozenset(event_types)

    def decorate(handler: H) -> H:
        setattr(handler, _TYPES, types)
        return handler

    return decorate


def by_type(methods: Mapping[str, Callable[[S, Any, Metadata], None]]) -> Callable[[S, Any, Metadata, Any], Any]:
    """Make the server event handler of a class that watches each type of event with a method of its own."""

    @for_types(methods)
    def server_event_handler(self: S, event: Any, metadata: Metadata, _connection: Any) -> tuple[Any, Metadata]:
        method = methods.get(event.type)
        if method is not None:  # it may be called for others where it is not hooked by itself
            method(self, event, metadata)
        return event, metadata

    return server_event_handler


def types_of(handler: object) -> frozenset[str] | None:
    """Return the types of the events for which a handler is to be called; None if for all."""
    return getattr(handler, _TYPES, None)


class MetadataKey(Generic[T]):
    """Be a typed key of the library's own in the metadata, so that it can never collide with the user's strings."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @overload
    def get(self, metadata: Metadata) -> T | None: ...
    @overload
    def get(self, metadata: Metadata, default: D) -> T | D: ...
    def get(self, metadata: Metadata, default: Any = None) -> Any:
        """Return what was put under this key, else ``default``."""
        return metadata.get(self, default)

    def put(self, metadata: Metadata, value: T) -> None:
        """Put ``value`` under this key."""
        metadata[self] = value


RECEIVED_AT: MetadataKey[float] = MetadataKey("received_at")
"""When a server event was received, in seconds of the clock; set by ``hook_handlers``."""

SENT_BY: MetadataKey[str] = MetadataKey("sent_by")
"""Which middleware sent a client event; absent on the user's own."""

HANDLED: MetadataKey[bool] = MetadataKey("handled")
"""Put True here on an ``error`` or failed ``response.done`` that was dealt with, and it is not logged."""


@runtime_checkable
class HasServerEventHandler(Protocol):
    """Watch, change or drop server events."""

    def server_event_handler(self, event: Any, metadata: Metadata, connection: Any, /) -> Any: ...


@runtime_checkable
class HasClientEventHandler(Protocol):
    """Watch, change or drop client events."""

    def client_event_handler(self, event: Any, metadata: Metadata, connection: Any, /) -> Any: ...


@runtime_checkable
class RegistersSend(Protocol):
    """Send client events of its own."""

    def register_send_with_handlers(self, send: Send, /) -> None: ...


Middleware: TypeAlias = HasServerEventHandler | HasClientEventHandler | RegistersSend
"""Any object with one or more of the three; entered and left if it is a context manager."""
