"""Serve simulated sessions over WebSocket, at the address paths and with the refusals of the service."""

from __future__ import annotations

import errno
import itertools
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from ..clock import Clock, SystemClock
from ..errors import SimulatorError
from .engine import Engine
from .runner import run
from .session import Session
from .settings import Settings
from .vad import Vad, WebRtcVad, check_installed

PATH = "/v1/realtime"

_SUBPROTOCOL = "realtime"
_KEY_PREFIX = "openai-insecure-api-key."
"""How a browser, which cannot set headers, gives its key: among the subprotocols (API reference)."""
_MAX_FRAME = 64 * 1024 * 1024
"""Bytes. Far above the largest append, so that one that is too large gets its ``error`` event."""
_REFUSED_KEY = "invalid_request_error.invalid_api_key"
_REFUSED_MODEL = "invalid_request_error.model_not_found"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Server:
    """Say where a simulator serves."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """Return what to give the SDK as ``websocket_base_url``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ws://{host}:{self.port}/v1"


@asynccontextmanager
async def serve(
    engine_factory: Callable[[], Engine],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    settings: Settings | None = None,
    clock: Clock | None = None,
    vad: Callable[[], Vad] = WebRtcVad,
) -> AsyncGenerator[Server]:
    """Serve until the block is left, which ends the open sessions with close code 1001.

    Args:
        engine_factory: makes the engine of each session.
        host: the address to listen on.
        port: the port; 0 takes any free one, which the yielded ``Server`` names.
        settings: how the service behaves.
        clock: what the sessions wait on, the system's by default.
        vad: makes what judges the user's sound.

    Raises:
        SimulatorError: the port is in use, or the address is none of this machine's.
        MissingExtraError: turn detection needs a package that is not installed.
    """
    check_installed(vad)
    door = _Door(settings or Settings(), engine_factory, clock or SystemClock(), vad)
    serving = serve_websocket(
        door.handle,
        host,
        port,
        process_request=door.admit,
        select_subprotocol=_select_subprotocol,
        compression=None,
        max_size=_MAX_FRAME,
        ping_interval=None,
    )
    try:
        server = await serving
    except (OSError, OverflowError) as error:
        raise SimulatorError(_why_not(error, host, port)) from error
    try:
        yield Server(host, next(iter(server.sockets)).getsockname()[1])
    finally:
        server.close()
        await server.wait_closed()


def _why_not(error: OSError | OverflowError, host: str, port: int) -> str:
    if isinstance(error, OverflowError):
        return f"{port} is no port: choose one from 1 to 65535, or 0 for any that is free."
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} of {host} is in use: choose another one, or 0 for any that is free."
    if error.errno == errno.EACCES:
        return f"Port {port} of {host} may not be opened by this user: choose one above 1023."
    return f"The simulator cannot listen on {host}, port {port} ({error.strerror or error}): choose another address."


class _Door:
    """Let connections in, or say why not, and run a session for each."""

    def __init__(
        self, settings: Settings, engine_factory: Callable[[], Engine], clock: Clock, vad: Callable[[], Vad]
    ) -> None:
        self._settings = settings
        self._engine_factory = engine_factory
        self._clock = clock
        self._vad = vad
        self._numbers = itertools.count()

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse before the upgrade what the service refuses there; None lets the upgrade happen."""
        if urlsplit(request.path).path != PATH:
            return _refusal(HTTPStatus.NOT_FOUND, "invalid_url", f"There is nothing at this path: use {PATH}.")
        query = parse_qs(urlsplit(request.path).query)
        if "call_id" in query or "intent" in query:
            message = "The simulator has no calls and no transcription sessions: connect with ?model=."
            return _refusal(HTTPStatus.BAD_REQUEST, "invalid_value", message)
        key = _key(request)
        if not key:
            message = "Missing bearer authentication: send 'Authorization: Bearer <key>'."
            return _refusal(HTTPStatus.UNAUTHORIZED, "missing_api_key", message)
        if self._refuses_key(key) and self._settings.refuse_key == "http":
            return _refusal(HTTPStatus.UNAUTHORIZED, "invalid_api_key", "Incorrect API key provided.")
        model = self._model(request)
        if self._refuses_model(model) and self._settings.refuse_model == "http":
            message = f"The model '{model}' does not exist or you do not have access to it."
            return _refusal(HTTPStatus.NOT_FOUND, "model_not_found", message)
        return None

    async def handle(self, connection: ServerConnection) -> None:
        """Run the session of a connection that was let in."""
        request = connection.request
        if request is None or self._refuses_key(_key(request)):
            await connection.close(3000, _REFUSED_KEY)
            return
        model = self._model(request)
        if self._refuses_model(model):
            await connection.close(3000, _REFUSED_MODEL)
            return
        try:
            await self._run(connection, model)
        except Exception:
            _logger.exception("The simulated session failed.")
            await connection.close(1011, "The simulated session failed.")

    async def _run(self, connection: ServerConnection, model: str) -> None:
        settings = replace(self._settings, seed=self._settings.seed + next(self._numbers))
        engine = self._engine_factory()
        session = Session(
            now=self._clock.now(),
            created_at=int(datetime.now(UTC).timestamp()),
            settings=settings,
            model=model,
            vad=self._vad,
        )

        async def send(frame: str) -> None:
            try:
                await connection.send(frame)
            except ConnectionClosed:
                return  # the frames end too, and that ends the session

        await run(session, engine, clock=self._clock, frames=_frames(connection), send=send, close=connection.close)

    def _refuses_key(self, key: str) -> bool:
        return self._settings.api_keys is not None and key not in self._settings.api_keys

    def _model(self, request: Request) -> str:
        return parse_qs(urlsplit(request.path).query).get("model", [self._settings.model])[0]

    def _refuses_model(self, model: str) -> bool:
        return self._settings.models is not None and model not in self._settings.models


async def _frames(connection: ServerConnection) -> AsyncIterator[str | bytes]:
    try:
        while True:
            yield await connection.recv()
    except ConnectionClosed:
        return


def _select_subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    return Subprotocol(_SUBPROTOCOL) if _SUBPROTOCOL in offered else None


def _key(request: Request) -> str:
    """Return the key that a request brings, in either place; ``""`` if it brings none."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key
    offered = ",".join(request.headers.get_all("Sec-WebSocket-Protocol")).split(",")
    keys = [each.strip().removeprefix(_KEY_PREFIX) for each in offered if each.strip().startswith(_KEY_PREFIX)]
    return keys[0] if keys else ""


def _refusal(status: HTTPStatus, code: str, message: str) -> Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    body = json.dumps({"error": error}).encode()
    headers = Headers(
        [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
    )
    return Response(status.value, status.phrase, headers, body)
