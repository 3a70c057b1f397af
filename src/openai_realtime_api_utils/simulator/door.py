"""Let WebSocket connections in, or refuse them as the service does, and run a session for each."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import cast

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from .disturbance import disturbed, run_disturbed
from .http_messages import HttpAnswer, HttpRequest, no_such_call, no_such_model, refusal, spurned
from .keys import EphemeralKey, Kind
from .lobby import Incoming
from .phone_call import PhoneCall
from .runner import run
from .service import Service

PATH = "/v1/realtime"
TRANSLATIONS = f"{PATH}/translations"
AZURE_PATHS = ("/openai/realtime", "/openai/v1/realtime")
"""Where Azure serves the same: by ``deployment``, as the SDK's client for it asks, or by ``model``."""
_SUBPROTOCOL = "realtime"
_REFUSED_KEY = "invalid_request_error.invalid_api_key"
_REFUSED_MODEL = "invalid_request_error.model_not_found"
_REFUSED_EXPIRED = "invalid_request_error.ephemeral_token_expired"
_EXPIRED_KEY = {
    "type": "error",
    "error": {
        "type": "invalid_request_error",
        "code": "ephemeral_token_expired",
        "message": "Ephemeral token has expired: create another one.",
        "param": None,
        "event_id": None,
    },
}
"""The message speaks of an expired ephemeral token (measured); the code, and the close after it, are inferred."""

_logger = logging.getLogger(__name__)


class Door:
    """Be what ``websockets`` asks about each connection."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Refuse before the upgrade what the service refuses there; None lets the upgrade happen."""
        refused = self._refused(as_http(request)) or self._spurned(cast("Incoming", connection))
        if refused is None:
            return None
        status = refused.status
        return Response(status.value, status.phrase, Headers(refused.all_headers()), refused.body)

    def _spurned(self, connection: Incoming) -> HttpAnswer | None:
        faults = self._service.faults
        if faults is None or faults.refuse_handshake is None or not faults.concern(connection.number):
            return None
        return spurned(faults.refuse_handshake)

    def select_subprotocol(self, _: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return Subprotocol(_SUBPROTOCOL) if _SUBPROTOCOL in offered else None

    async def handle(self, connection: ServerConnection) -> None:
        """Run the session of a connection that was let in."""
        if connection.request is None:
            return
        request = as_http(connection.request)
        if self._service.refuses_key(request.key):
            await connection.close(3000, _REFUSED_KEY)
            return
        key = self._service.keys.find(request.key)
        model = self._model(request, key)
        if self._service.refuses_model(model):
            await connection.close(3000, _REFUSED_MODEL)
            return
        try:
            call = self._service.calls.get(request.query.get("call_id", ""))
            if call is not None:
                await self._attach(cast("Incoming", connection), call)
                return
            await self._run(cast("Incoming", connection), _kind(request, key), model, key)
        except Exception:
            _logger.exception("The simulated session failed.")
            await connection.close(1011, "The simulated session failed.")

    def _refused(self, request: HttpRequest) -> HttpAnswer | None:
        service = self._service
        if request.path not in (PATH, TRANSLATIONS, *AZURE_PATHS):
            message = f"There is nothing at this path: use {PATH} or {TRANSLATIONS}."
            return refusal(HTTPStatus.NOT_FOUND, "invalid_url", message)
        call_id = request.query.get("call_id")
        if call_id is not None and call_id not in service.calls:
            return no_such_call(call_id)
        if request.query.get("intent") not in (None, "transcription"):
            message = f"Invalid value: '{request.query['intent']}'. Supported values are: 'transcription'."
            return refusal(HTTPStatus.BAD_REQUEST, "invalid_value", message, "intent")
        if not request.key:
            message = "Missing bearer authentication: send 'Authorization: Bearer <key>'."
            return refusal(HTTPStatus.UNAUTHORIZED, "missing_api_key", message)
        if service.refuses_key(request.key) and service.settings.refuse_key == "http":
            return refusal(HTTPStatus.UNAUTHORIZED, "invalid_api_key", "Incorrect API key provided.")
        model = self._model(request, service.keys.find(request.key))
        if service.refuses_model(model) and service.settings.refuse_model == "http":
            return no_such_model(model)
        return None

    def _model(self, request: HttpRequest, key: EphemeralKey | None) -> str | None:
        of_key = key.model if key is not None else None
        return request.query.get("model") or request.query.get("deployment") or of_key

    async def _run(self, connection: Incoming, kind: Kind, model: str | None, key: EphemeralKey | None) -> None:
        service = self._service
        if key is not None and service.keys.is_expired(key):
            await self._turn_away(connection)
            return
        engine = service.engine_factory()
        session = service.new_session(kind, model, key.given if key is not None and key.kind == kind else None)
        faults = service.faults
        frames, send = self._ends(connection)
        if faults is None or not faults.concern(connection.number):
            await run(session, engine, clock=service.clock, frames=frames, send=send, close=connection.close)
            return
        await run_disturbed(
            session,
            engine,
            faults,
            number=connection.number,
            clock=service.clock,
            frames=frames,
            send=send,
            close=connection.end,
            freeze=connection.freeze,
        )

    async def _attach(self, connection: Incoming, call: PhoneCall) -> None:
        frames, send = self._ends(connection)
        faults, number = self._service.faults, connection.number
        if faults is None or not faults.concern(number):
            await call.attach(frames, send, connection.end)
            return
        async with disturbed(
            faults,
            number=number,
            clock=self._service.clock,
            frames=frames,
            send=send,
            close=connection.end,
            freeze=connection.freeze,
        ) as link:
            await call.attach(link.frames(), link.send, link.close)

    def _ends(self, connection: Incoming) -> tuple[AsyncIterator[str | bytes], Callable[[str], Awaitable[None]]]:
        """Return what the client sends, and what sends to it, until the connection is closed."""
        watch, number = self._service.watch, connection.number

        async def frames() -> AsyncIterator[str | bytes]:
            try:
                while True:
                    frame = await connection.recv()
                    if watch is not None:
                        watch(number, "client", frame)
                    yield frame
            except ConnectionClosed:
                return

        async def send(frame: str) -> None:
            if watch is not None:
                watch(number, "server", frame)
            try:
                await connection.send(frame)
            except ConnectionClosed:
                return  # the frames end too, and that ends the session

        return frames(), send

    async def _turn_away(self, connection: ServerConnection) -> None:
        """Answer the first event with an error, as the service does with an ephemeral key that is expired."""
        try:
            await connection.recv()
            await connection.send(json.dumps(_EXPIRED_KEY | {"event_id": self._service.new_event_id()}))
        except ConnectionClosed:
            return
        await connection.close(3000, _REFUSED_EXPIRED)


def _kind(request: HttpRequest, key: EphemeralKey | None) -> Kind:
    """Say which kind of session is opened: by the path, by the intent, else as the key was minted for."""
    if request.path == TRANSLATIONS:
        return "translation"
    if request.query.get("intent") == "transcription":
        return "transcription"
    return "realtime" if key is None else key.kind


def as_http(request: Request) -> HttpRequest:
    """Return a request of ``websockets`` as one of ours."""
    headers = {name.lower(): ",".join(request.headers.get_all(name)) for name in request.headers}
    return HttpRequest("GET", request.path, headers)
