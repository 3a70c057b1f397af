"""Connect as the SDK does, and carry the frames with ``picows``, whose code is compiled.

The SDK and ``websockets`` open the connection: address, key, TLS, proxy, redirects and refusals are theirs. Once the
server has agreed, the open socket is handed to ``picows``. What it tells of the end of a connection is told on in the
exceptions of ``websockets``, so nothing else need know.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK
from websockets.frames import OK_CLOSE_CODES, Close
from websockets.protocol import State

from .errors import require

Manager = TypeVar("Manager")

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, 1.3."""

_NO_STATUS = 1005
"""What a closing frame without a code is told as (RFC 6455, 7.1.5)."""

_LARGEST_FRAME = 2**31 - 1
_READ_BUFFER = 16_384
_HEAD_END = b"\r\n\r\n"


def fast_connect(connect: Callable[..., Manager], /, **arguments: Any) -> Manager:
    """Connect with the SDK's own ``connect``, over a faster WebSocket.

    ``fast_connect(client.realtime.connect, model=...)`` stands wherever ``client.realtime.connect(model=...)`` does:
    it takes the same arguments and gives the same connection. It pays where one process holds many sessions.

    Args:
        connect: ``client.realtime.connect``, or another method of the SDK with ``websocket_connection_options``.
        arguments: what ``connect`` takes.

    Raises:
        MissingExtraError: ``picows`` is not installed.
    """
    require("picows", extra="fast", needed_by="fast_connect")
    options = dict(arguments.pop("websocket_connection_options", None) or {})
    return connect(**arguments, websocket_connection_options={**options, "create_connection": PicowsConnection})


class PicowsConnection(ClientConnection):
    """Open a connection as ``websockets`` does, then let ``picows`` carry its frames."""

    def __init__(self, protocol: Any, **limits: Any) -> None:
        super().__init__(protocol, **limits)
        self._limits = limits
        self._head: bytes | None = b""
        """The answer to the handshake as far as it has come; None once it is known not to be an agreement."""
        self._early = b""
        """What the server sent right behind its agreement."""
        self._is_agreed = False
        self._carrier: Any = None
        self._closed: type[Exception] = _of_picows("websockets.exceptions").ConnectionClosed

    def data_received(self, data: bytes) -> None:
        """Keep from ``websockets`` what follows the server's agreement: that is for ``picows``."""
        if self._is_agreed:
            self._early += data
            return
        if self._head is None:
            super().data_received(data)
            return
        self._head += data
        head, end, early = self._head.partition(_HEAD_END)
        if not end:
            return
        self._is_agreed = head.startswith(b"HTTP/1.1 101")
        super().data_received(head + end if self._is_agreed else self._head)
        self._head, self._early = None, early if self._is_agreed else b""

    def eof_received(self) -> None:
        """Let ``websockets`` see an answer that ended too soon."""
        if self._head:
            head, self._head = self._head, None
            super().data_received(head)
        super().eof_received()

    async def handshake(self, *args: Any, **kwargs: Any) -> None:
        await super().handshake(*args, **kwargs)
        await self._hand_over()

    def start_keepalive(self) -> None:
        """Leave it to the carrier, which has begun."""

    async def _hand_over(self) -> None:
        core, compat = _of_picows("picows"), _of_picows("websockets.compat")
        connections, negotiation = _of_picows("websockets.asyncio.client"), _of_picows("websockets.asyncio.negotiation")
        max_size = cast(
            "int | None", getattr(self.protocol, "max_size", getattr(self.protocol, "max_message_size", None))
        )

        def carrier(request: Any, response: Any) -> Any:
            answer = compat.Response.from_picows(response)
            return connections.ClientConnection(
                request=compat.Request.from_picows(request),
                response=answer,
                subprotocol=self.protocol.subprotocol,
                permessage_deflate=negotiation.configure_permessage_deflate(answer, "deflate"),
                max_message_size=max_size or 0,
                max_frame_size=max_size or _LARGEST_FRAME,
                logger=self.protocol.logger,
                **self._limits,
            )

        transport = _OpenTransport(self.transport)
        reader = core.WSProtocol(
            "", "/", True, carrier, self.protocol.logger, True, None, False, 0, 0,
            core.WSAutoPingStrategy.PING_WHEN_IDLE, True, max_size or _LARGEST_FRAME, None, _READ_BUFFER,
        )  # fmt: skip
        reader.connection_made(transport)
        extensions = cast("Any", self.response).headers.get_all("Sec-WebSocket-Extensions")
        _feed(reader, transport.agreement(", ".join(extensions)) + self._early)
        self._carrier = reader.listener
        if self.connection_lost_waiter.done():
            reader.connection_lost(None)
        else:
            self.transport.set_protocol(reader)
        await reader.wait_until_handshake_complete()

    async def recv(self, decode: bool | None = None) -> Any:
        try:
            return await self._carrier.recv(decode)
        except self._closed as error:
            raise _closed(error) from error

    async def send(self, message: Any, text: bool | None = None) -> None:
        try:
            await self._carrier.send(message, text)
        except self._closed as error:
            raise _closed(error) from error

    async def ping(self, data: Any = None) -> Any:
        try:
            return await self._carrier.ping(data)
        except self._closed as error:
            raise _closed(error) from error

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self._carrier.close(code, reason)

    async def wait_closed(self) -> None:
        await self._carrier.wait_closed()

    @property
    def state(self) -> State:
        return State(int(self._carrier.state))

    @property
    def close_code(self) -> int | None:
        return self._carrier.close_code

    @property
    def close_reason(self) -> str | None:
        return self._carrier.close_reason


class _OpenTransport:
    """Be a transport whose handshake is over: what ``picows`` asks of the server goes no further."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self._request = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: Any) -> None:
        if self._request:
            self._transport.write(data)
        else:
            self._request = bytes(data)

    def agreement(self, extensions: str) -> bytes:
        """Return the answer that ``picows`` waits for."""
        fields = dict(line.split(": ", 1) for line in self._request.decode().split("\r\n")[1:] if line)
        key = fields["Sec-WebSocket-Key"]
        accept = base64.b64encode(hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()).decode()
        agreed = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
        return (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n{agreed}\r\n"
        ).encode()


def _feed(reader: Any, data: bytes) -> None:
    while data:
        room = reader.get_buffer(-1)
        part, data = data[: len(room)], data[len(room) :]
        room[: len(part)] = part
        reader.buffer_updated(len(part))


def _of_picows(module: str) -> Any:
    return require(f"picows.{module}", extra="fast", needed_by="fast_connect")


def _closed(error: Any) -> ConnectionClosed:
    received, sent = _close(error.rcvd), _close(error.sent)
    is_clean = received is not None and sent is not None and {received.code, sent.code} <= OK_CLOSE_CODES
    order = error.rcvd_then_sent if received is not None and sent is not None else None
    return (ConnectionClosedOK if is_clean else ConnectionClosedError)(received, sent, order)


def _close(frame: Any) -> Close | None:
    return None if frame is None else Close(int(frame.code) or _NO_STATUS, frame.reason or "")
