"""Hook handlers to a connection: every server event runs through one list, every client event through the other."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar, cast

from .chain import Chain, chain
from .clock import Clock, SystemClock
from .closing import Closing, closed_as
from .errors import ConnectionLost, RemoteProtocolError
from .events import as_dict, decode, encode_dict, prepare
from .handlers import RECEIVED_AT, SENT_BY, ClientEventHandler, Metadata, ServerEventHandler
from .log_errors import LOGGED, LogErrors
from .plain_connection import warn_of_plain
from .slow_handlers import SlowHandlers
from .tasks import TaskOwner

T = TypeVar("T")

SLOW_HANDLER_MS = 50.0
"""What speech can bear: a loudspeaker's buffer of 60 ms (``AudioPlayer``'s prebuffer) runs dry soon after."""

library_logger = logging.getLogger("openai_realtime_api_utils")
"""Where the library tells what a user should know; it has no handler and no level of its own."""


class Hooked(NamedTuple):
    """Be what ``hook_handlers`` yields."""

    keep_receiving: Callable[[], Coroutine[Any, Any, None]]
    """Receives until the connection ends. Returns after our own ``close()`` or a server's close 1000; raises
    ``ConnectionLost`` after any other, and what a handler or spawned work raised."""
    send: HookedSend


@contextmanager
def hook_handlers(
    connection: Any,
    server_event_handlers: Iterable[ServerEventHandler],
    client_event_handlers: Iterable[ClientEventHandler],
    *,
    clock: Clock | None = None,
    logger: logging.Logger = library_logger,
    slow_handler_ms: float = SLOW_HANDLER_MS,
) -> Generator[Hooked]:
    """Hook handlers to a connection for the length of a ``with`` block.

    Leaving the block cancels ``keep_receiving`` and all spawned work. The connection stays the caller's to close.

    Args:
        connection: an ``AsyncRealtimeConnection`` of the SDK, or anything shaped like ``ports.Connection``.
        server_event_handlers: see every event received, in this order.
        client_event_handlers: see every event sent through ``send``, in this order.
        clock: stamps ``RECEIVED_AT``; the machine's own by default.
        logger: is told of ``error`` events, failed responses, unreadable frames and slow handlers.
        slow_handler_ms: how long a handler may take over one event before the logger is told its name.

    Raises:
        HandlerError: a handler is not callable.
    """
    warn_of_plain(connection, logger)
    prepare()
    owner = TaskOwner()
    log_errors = LogErrors(logger)
    clock = clock or SystemClock()
    slow = SlowHandlers(clock, logger, slow_handler_ms)
    send = HookedSend(connection, chain(cast("Any", client_event_handlers), slow), owner, log_errors)
    handle = chain(cast("Any", server_event_handlers), slow)
    now = clock.now

    async def receive() -> None:
        recv_bytes = getattr(connection, "recv_bytes", None)
        while True:
            try:
                event = decode(await recv_bytes()) if recv_bytes is not None else await connection.recv()
            except RemoteProtocolError as error:
                logger.warning("%s It was skipped.", error)
                continue
            except Exception as error:
                lost = closed_as(error)
                if lost is None:
                    raise
                send.has_ended(lost)
                if lost.is_orderly:
                    return
                if isinstance(error, ConnectionLost):
                    raise
                raise lost.as_error() from error
            metadata: Metadata = {RECEIVED_AT: now()}
            handled = handle(event, metadata, connection)
            _, metadata = handled if type(handled) is tuple else await cast("Awaitable[Any]", handled)
            if event.type in LOGGED:
                log_errors.server_event(event, metadata)

    def keep_receiving() -> Coroutine[Any, Any, None]:
        return owner.guard(receive)

    failed = True
    try:
        yield Hooked(keep_receiving, send)
        failed = False
    finally:
        owner.close()
        if failed:
            owner.log_unseen()
        else:
            owner.check()


class HookedSend:
    """Be ``ports.Send`` for one hooked connection."""

    def __init__(
        self, connection: Any, handle: Chain, owner: TaskOwner, log_errors: LogErrors, sender: str | None = None
    ) -> None:
        self._tell_of_end: list[Callable[[Closing], object]] = []
        self._connection = connection
        self._send_raw = getattr(connection, "send_raw", None)
        self._handle = handle
        self._owner = owner
        self._log_errors = log_errors
        self._sender = sender

    async def __call__(self, event: Any) -> dict[str, Any] | None:
        """Run the client handlers on an event and send what they leave.

        Args:
            event: a dict or an SDK event; handlers see a dict.

        Returns:
            The event as it was sent; None if a handler dropped it, and nothing was sent.

        Raises:
            LocalProtocolError: it is not an event, or cannot be written as JSON.
            ConnectionLost: the connection is gone.
        """
        self._owner.check()
        metadata: Metadata = {} if self._sender is None else {SENT_BY: self._sender}
        result = self._handle(as_dict(event), metadata, self._connection)
        handled, _ = result if type(result) is tuple else await cast("Awaitable[Any]", result)
        if handled is None:
            return None
        sent = as_dict(handled)
        frame = encode_dict(sent)
        self._log_errors.client_event(sent)
        try:
            if self._send_raw is not None:
                await self._send_raw(frame)
            else:
                await self._connection.send(sent)
        except Exception as error:
            lost = closed_as(error)
            if lost is None:
                raise
            raise lost.as_error(f"The event {sent['type']} was not sent.") from error
        return sent

    def spawn(self, work: Coroutine[Any, Any, T], *, name: str) -> Awaitable[T]:
        """Run a coroutine as a task that ends with the hooked connection.

        If it fails, ``keep_receiving`` raises its error; if that is not running, the next ``send`` or the end of the
        ``with`` block does.
        """
        label = name if self._sender is None or self._sender in name else f"{self._sender}: {name}"
        return self._owner.spawn(work, name=label)

    def by(self, name: str) -> HookedSend:
        """Return the same ``send``, marking what it sends with ``SENT_BY``."""
        same = HookedSend(self._connection, self._handle, self._owner, self._log_errors, name)
        same._tell_of_end = self._tell_of_end
        return same

    def on_end(self, tell: Callable[[Closing], object]) -> None:
        """Have a function called when the connection has ended, in whatever way: nothing more comes of it."""
        self._tell_of_end.append(tell)

    def has_ended(self, closing: Closing) -> None:
        """Tell those who want to know that the connection has ended."""
        for tell in self._tell_of_end:
            tell(closing)
