"""Hook whole middlewares to a connection: the short form of ``hook_handlers``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

from .clock import Clock
from .errors import HandlerError
from .handlers import HasClientEventHandler, HasServerEventHandler, Middleware, RegistersSend
from .hooks import SLOW_HANDLER_MS, HookedSend, hook_handlers, library_logger


class HookedSession:
    """Be a connection with its middlewares hooked, receiving."""

    def __init__(self, send: HookedSend, receiving: asyncio.Task[None]) -> None:
        self.send = send
        """Sends a client event through all client handlers."""
        self._receiving = receiving
        self._was_seen = False

    @property
    def closed(self) -> Coroutine[Any, Any, None]:
        """Await this for the end of the connection; raises what ``keep_receiving`` raised."""
        return self._until_closed()

    async def _until_closed(self) -> None:
        try:
            await asyncio.shield(self._receiving)
        finally:
            self._was_seen = self._receiving.done()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, failed: type[BaseException] | None, *_: object) -> None:
        """Stop receiving; raise its error unless it was seen, or another one is on its way."""
        self._receiving.cancel()
        (error,) = await asyncio.gather(self._receiving, return_exceptions=True)
        if isinstance(error, Exception) and not self._was_seen and failed is None:
            raise error


@asynccontextmanager
async def hook_middlewares(
    connection: Any,
    middlewares: Iterable[Middleware],
    *,
    clock: Clock | None = None,
    logger: logging.Logger = library_logger,
    slow_handler_ms: float = SLOW_HANDLER_MS,
) -> AsyncGenerator[HookedSession]:
    """Hook middlewares, give each the ``send`` it asks for, and receive until the block is left.

    Both directions run through the middlewares in the order given. One that is a context manager is entered first and
    left last. The connection stays the caller's to close.

    Raises:
        HandlerError: one of them is not a middleware.
        ConnectionLost: at the end of the block, or where ``session.closed`` is awaited.
    """
    hooked = [_checked(middleware) for middleware in middlewares]
    async with AsyncExitStack() as stack:
        for middleware in hooked:
            if hasattr(middleware, "__aenter__"):
                await stack.enter_async_context(middleware)
            elif hasattr(middleware, "__enter__"):
                stack.enter_context(middleware)
        server = [m.server_event_handler for m in hooked if isinstance(m, HasServerEventHandler)]
        client = [m.client_event_handler for m in hooked if isinstance(m, HasClientEventHandler)]
        hooks = hook_handlers(connection, server, client, clock=clock, logger=logger, slow_handler_ms=slow_handler_ms)
        with hooks as (keep_receiving, send):
            for middleware in hooked:
                if isinstance(middleware, RegistersSend):
                    middleware.register_send_with_handlers(send.by(type(middleware).__name__))
            receiving = asyncio.get_running_loop().create_task(keep_receiving(), name="hook_middlewares")
            async with HookedSession(send, receiving) as session:
                yield session


def _checked(middleware: Any) -> Any:
    shapes: Sequence[type] = (HasServerEventHandler, HasClientEventHandler, RegistersSend)
    if isinstance(middleware, type) or not any(isinstance(middleware, shape) for shape in shapes):
        hint = " (give an instance, not the class)" if isinstance(middleware, type) else ""
        raise HandlerError(
            f"{middleware!r} is not a middleware{hint}: it needs server_event_handler, client_event_handler or "
            f"register_send_with_handlers. Plain handlers are hooked with hook_handlers."
        )
    return middleware
