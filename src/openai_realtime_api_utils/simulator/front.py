"""Read the head of every connection, and let WebSocket and plain HTTP share one port.

``websockets``' own server takes no request with a body, so it cannot serve the REST half of the API. It keeps the half
that it is good at: a GET is handed to it as it came, byte for byte. All else is read here with ``h11``, which comes
with the SDK, so that neither half costs the other anything.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, TypeAlias

import h11

from .http_messages import HttpAnswer, HttpRequest, refusal

_HEAD_LIMIT = 32 * 1024
"""Bytes of request line and headers; the keys and cookies of browsers stay far below."""
_BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of a body: instructions and the tools of a session, or an SDP offer."""


_logger = logging.getLogger(__name__)

Answer: TypeAlias = Callable[[HttpRequest], HttpAnswer | Coroutine[Any, Any, HttpAnswer]]


class Front(asyncio.Protocol):
    """Be the protocol of one connection until it is known what it wants."""

    def __init__(
        self,
        transport: asyncio.Transport,
        *,
        upgrade: Callable[[asyncio.Transport, bytes], None],
        answer: Answer,
        on_end: Callable[[Front], None],
    ) -> None:
        """Begin to read.

        Args:
            transport: the connection, whose protocol this becomes.
            upgrade: takes over what may become a WebSocket, with the bytes that were read of it.
            answer: answers everything else, at once or in its own time.
            on_end: is told once, when the connection is given away or lost.
        """
        self._transport = transport
        self._upgrade = upgrade
        self._answer = answer
        self._on_end = on_end
        self._wire = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_LIMIT)
        self._received = b""
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._answering: asyncio.Task[None] | None = None
        self._is_over = False
        transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            return
        if self._request is None:
            self._received += data
        try:
            self._wire.receive_data(data)
            self._read()
        except h11.RemoteProtocolError as error:
            self.refuse(HTTPStatus(error.error_status_hint), f"The request is no HTTP/1.1 ({error}).")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def refuse(self, status: HTTPStatus, message: str) -> None:
        """Answer with an error, whatever was asked, and hang up."""
        if not self._is_over:
            self._send(refusal(status, None, message))

    def abort(self) -> None:
        """Hang up without a word: whoever is there has said nothing either."""
        self._transport.abort()

    def _read(self) -> None:
        while not self._is_over:
            event = self._wire.next_event()
            if isinstance(event, h11.Request):
                if event.method == b"GET":
                    self._end()
                    self._upgrade(self._transport, self._received)
                    return
                self._request = event
                if self._wire.they_are_waiting_for_100_continue:
                    go_on = self._wire.send(h11.InformationalResponse(status_code=100, headers=[]))
                    self._transport.write(go_on or b"")
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > _BODY_LIMIT:
                    self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is above {_BODY_LIMIT} bytes.")
            elif isinstance(event, h11.EndOfMessage) and self._request is not None:
                self._reply(self._answer(_as_request(self._request, bytes(self._body))))
            else:
                return  # more is to come, or the client has gone

    def _reply(self, answer: HttpAnswer | Coroutine[Any, Any, HttpAnswer]) -> None:
        if isinstance(answer, HttpAnswer):
            self._send(answer)
        else:
            self._answering = asyncio.get_running_loop().create_task(self._send_later(answer), name="HTTP answer")

    async def _send_later(self, answer: Coroutine[Any, Any, HttpAnswer]) -> None:
        try:
            self._send(await answer)
        except Exception:
            _logger.exception("A request could not be answered.")
            self.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "The simulator could not answer this.")

    def _send(self, answer: HttpAnswer) -> None:
        response = h11.Response(
            status_code=answer.status, headers=answer.all_headers(), reason=answer.status.phrase.encode()
        )
        self._transport.write((self._wire.send(response) or b"") + answer.body)
        self._transport.close()
        self._end()

    def _end(self) -> None:
        if not self._is_over:
            self._is_over = True
            if self._answering is not None and self._answering is not asyncio.current_task():
                self._answering.cancel()
            self._on_end(self)


def _as_request(request: h11.Request, body: bytes) -> HttpRequest:
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.headers:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return HttpRequest(request.method.decode("latin-1"), request.target.decode("latin-1"), headers, body)
