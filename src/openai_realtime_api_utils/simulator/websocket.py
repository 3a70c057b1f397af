"""Serve simulated sessions at a socket: WebSocket and REST on one port, with the address paths of the service."""

from __future__ import annotations

import errno
import ipaddress
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, cast

from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket

from ..clock import Clock, SystemClock
from ..errors import SimulatorError
from .door import Door
from .engine import Engine
from .fault_injection import Faults
from .http_messages import HttpAnswer, HttpRequest
from .lobby import Lobby
from .phone_call import PhoneCall, no_hush, open_call, unheard
from .rest import CALLS, answer
from .service import Service, Watch
from .settings import Settings
from .vad import Vad, WebRtcVad, check_installed
from .webrtc.calls import WebRtcCalls

if TYPE_CHECKING:
    from ..ports import Samples

_MAX_FRAME = 24 * 1024 * 1024
"""Bytes. Above the largest append, so that one that is too large gets its ``error`` event; beyond it, close 1009."""
_FRAMES_WAITING = 4
"""Frames that are read ahead of a session: few, since each may be that large."""


@dataclass(frozen=True)
class Server:
    """Say where a simulator serves."""

    host: str
    port: int
    service: Service
    is_encrypted: bool = False

    def call(
        self,
        *,
        model: str | None = None,
        given: dict[str, Any] | None = None,
        on_speech: Callable[[Samples], object] = unheard,
        on_hush: Callable[[], object] = no_hush,
    ) -> AbstractAsyncContextManager[PhoneCall]:
        """Have somebody call, until the block is left; sidebands connect with ``?call_id=`` and the call's ``id``.

        Args:
            model: the model that answers.
            given: the configuration that the session begins with, as in a ``session.update``.
            on_speech: is given what the caller is to hear, sooner than it is to sound.
            on_hush: is told that nothing more of that is to sound.
        """
        return open_call(self.service, model=model, given=given, on_speech=on_speech, on_hush=on_hush)

    @property
    def url(self) -> str:
        """Return what to give the SDK as ``websocket_base_url``."""
        return f"ws{self._s}://{self._place}/v1"

    @property
    def http_url(self) -> str:
        """Return what to give the SDK as ``base_url``: REST and, from it, WebSocket."""
        return f"http{self._s}://{self._place}/v1"

    @property
    def _s(self) -> str:
        return "s" if self.is_encrypted else ""

    @property
    def _place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@asynccontextmanager
async def serve(
    engine_factory: Callable[[], Engine],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    settings: Settings | None = None,
    clock: Clock | None = None,
    vad: Callable[[], Vad] = WebRtcVad,
    created_at: int | None = None,
    allow_remote: bool = False,
    faults: Faults | None = None,
    tls: SSLContext | None = None,
    watch: Watch | None = None,
) -> AsyncGenerator[Server]:
    """Serve until the block is left, which ends the open sessions with close code 1001.

    Args:
        engine_factory: makes the engine of each session.
        host: the address to listen on.
        port: the port; 0 takes any free one, which the yielded ``Server`` names.
        settings: how the service behaves.
        clock: what the sessions wait on, the system's by default.
        vad: makes what judges the user's sound.
        created_at: the time in seconds since 1970 that the server takes itself to begin at; now by default.
        allow_remote: listen on an address that other machines reach; ``Settings.api_keys`` must be set then.
        faults: what goes wrong on purpose.
        tls: the server's certificate, for clients that connect to ``wss://`` addresses only.
        watch: is told of every frame: which connection's it is, who sends it, and the frame.

    Raises:
        SimulatorError: the port is in use, the address is none of this machine's, or others would reach it unasked.
        MissingExtraError: turn detection needs a package that is not installed.
    """
    check_installed(vad)
    settings = settings or Settings()
    _check_reach(host, settings, allow_remote=allow_remote)
    began = datetime.now(UTC).timestamp() if created_at is None else created_at
    service = Service(engine_factory, settings, clock or SystemClock(), vad, began, faults, watch)
    door = Door(service)
    calls = WebRtcCalls(service, host)

    def answered(request: HttpRequest) -> HttpAnswer | Coroutine[Any, Any, HttpAnswer]:
        is_offer = request.path == CALLS and request.method == "POST"
        return calls.answer(request) if is_offer else answer(service, request)

    lobby = Lobby(service.clock, answered)
    serving = serve_websocket(
        door.handle,
        host,
        port,
        process_request=door.admit,
        select_subprotocol=door.select_subprotocol,
        compression=None,
        max_size=_MAX_FRAME,
        max_queue=_FRAMES_WAITING,
        ping_interval=None,
        ssl=tls,
        logger=_Calm(logging.getLogger(f"{__name__}.wire"), {}),
        create_connection=cast("type[ServerConnection]", lobby.connection),
    )
    try:
        server = await serving
    except (OSError, OverflowError) as error:
        raise SimulatorError(_why_not(error, host, port)) from error
    try:
        yield Server(host, next(iter(server.sockets)).getsockname()[1], service, tls is not None)
    finally:
        lobby.close()
        await calls.close()
        server.close()
        await server.wait_closed()


def _check_reach(host: str, settings: Settings, *, allow_remote: bool) -> None:
    if _is_loopback(host):
        return
    if not allow_remote:
        raise SimulatorError(
            f"{host!r} can be reached from other machines: listen on 127.0.0.1, or allow it (--allow-remote, "
            "`allow_remote=True`) and set a key."
        )
    if not settings.api_keys:
        raise SimulatorError(
            f"{host!r} can be reached from other machines, and no key is set: set one (--api-key, `Settings.api_keys`)."
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _why_not(error: OSError | OverflowError, host: str, port: int) -> str:
    if isinstance(error, OverflowError):
        return f"{port} is no port: choose one from 1 to 65535, or 0 for any that is free."
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use: choose another one, or 0 for any that is free."
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} may not be opened by this user: choose one above 1023."
    return f"The simulator cannot listen on {host}, port {port} ({error.strerror or error}): choose another address."


class _Calm(logging.LoggerAdapter[logging.Logger]):
    """Log what goes wrong on the wire as no more than information: it is the client's fault, and no traceback helps."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        kwargs.pop("exc_info", None)
        super().log(min(level, logging.INFO), msg, *args, **kwargs)

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  (the name is logging's)
        return level > logging.DEBUG and super().isEnabledFor(level)  # what is below shows every header, keys and all

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, kwargs
