"""Connect to a simulated session inside the process: the SDK's own connection, with no network beneath it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.resources.realtime.translations.translations import AsyncTranslationsConnection
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, ConnectionClosedOK, InvalidStatus
from websockets.frames import OK_CLOSE_CODES, Close, CloseCode
from websockets.http11 import Response

from ..clock import Clock, SystemClock
from .base_session import BaseSession
from .disturbance import run_disturbed
from .engine import Engine
from .fault_injection import Faults
from .http_messages import spurned
from .keys import Kind
from .opening import open_session
from .runner import run
from .settings import Settings
from .vad import Vad, WebRtcVad, check_installed

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

_ROOM = 1024
"""Frames on their way in each direction. When they are that many, whoever sends waits."""

Sender: TypeAlias = Literal["client", "server"]
Watch: TypeAlias = Callable[[Sender, str | bytes], object]

_logger = logging.getLogger(__name__)


@asynccontextmanager
async def connect(
    engine: Engine,
    *,
    kind: Literal["realtime", "transcription"] = "realtime",
    model: str | None = None,
    settings: Settings | None = None,
    clock: Clock | None = None,
    vad: Callable[[], Vad] = WebRtcVad,
    created_at: int | None = None,
    watch: Watch | None = None,
    faults: Faults | None = None,
) -> AsyncGenerator[AsyncRealtimeConnection]:
    """Run a session beside the caller and yield the SDK's connection to it; leaving the block ends both.

    Args:
        engine: what listens, thinks and speaks in this session.
        kind: which type of session it is; ``connect_translation`` opens the third.
        model: as in the SDK's ``connect``.
        settings: how the service behaves.
        clock: what the session waits on, the system's by default.
        vad: makes what judges the user's sound.
        created_at: the time in seconds since 1970 that the session takes itself to begin at; now by default.
        watch: is told of every frame as it sets out: who sends it, and the frame.
        faults: what goes wrong on purpose.

    Raises:
        MissingExtraError: turn detection needs a package that is not installed.
        websockets.exceptions.InvalidStatus: the faults refuse the handshake.
    """
    async with _running(engine, kind, model, settings, clock, vad, created_at, watch, faults) as socket:
        yield AsyncRealtimeConnection(cast("ClientConnection", socket))


@asynccontextmanager
async def connect_translation(
    engine: Engine,
    *,
    model: str | None = None,
    settings: Settings | None = None,
    clock: Clock | None = None,
    vad: Callable[[], Vad] = WebRtcVad,
    created_at: int | None = None,
    watch: Watch | None = None,
    faults: Faults | None = None,
) -> AsyncGenerator[AsyncTranslationsConnection]:
    """Run a translation session beside the caller and yield the SDK's connection to it; all else as for ``connect``."""
    async with _running(engine, "translation", model, settings, clock, vad, created_at, watch, faults) as socket:
        yield AsyncTranslationsConnection(cast("ClientConnection", socket))


@asynccontextmanager
async def _running(
    engine: Engine,
    kind: Kind,
    model: str | None,
    settings: Settings | None,
    clock: Clock | None,
    vad: Callable[[], Vad],
    created_at: int | None,
    watch: Watch | None,
    faults: Faults | None,
) -> AsyncGenerator[_ClientSocket]:
    check_installed(vad)
    if faults is not None and faults.refuse_handshake is not None:
        refused = spurned(faults.refuse_handshake)
        status, headers = refused.status, Headers(refused.all_headers())
        raise InvalidStatus(Response(status.value, status.phrase, headers, refused.body))
    clock = clock or SystemClock()
    session = open_session(
        kind,
        now=clock.now(),
        created_at=int(datetime.now(UTC).timestamp()) if created_at is None else created_at,
        settings=settings,
        model=model,
        vad=vad,
    )
    link = _Link(watch)
    failure: BaseException | None = None
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_serve(session, engine, clock, link, faults))
        try:
            yield _ClientSocket(link)
        except BaseException as error:  # noqa: BLE001  (raised below, as it is and not as a group)
            failure = error
        link.end(Close(1000, ""), by_client=True)
    if failure is not None:
        raise failure


async def _serve(session: BaseSession, engine: Engine, clock: Clock, link: _Link, faults: Faults | None) -> None:
    async def close(code: int, reason: str) -> None:
        link.end(Close(code, reason), by_client=False)

    async def send(frame: str) -> None:
        try:
            await link.to_client.put(frame)
        except ConnectionClosed:
            return  # the frames end too, and that ends the session

    try:
        if faults is None:
            await run(session, engine, clock=clock, frames=link.client_frames(), send=send, close=close)
        else:
            await run_disturbed(
                session,
                engine,
                faults,
                clock=clock,
                frames=link.client_frames(),
                send=send,
                close=close,
                freeze=lambda: None,
            )
    except Exception:
        _logger.exception("The simulated session failed.")
        link.end(Close(1011, "The simulated session failed."), by_client=False)


class _Link:
    """Carry frames both ways until one side ends it."""

    def __init__(self, watch: Watch | None = None) -> None:
        self.to_client = _Pipe(self, "server", watch)
        self.to_server = _Pipe(self, "client", watch)
        self._close: Close | None = None
        self._by_client = False

    @property
    def is_over(self) -> bool:
        return self._close is not None

    def end(self, close: Close, *, by_client: bool) -> None:
        """End it, unless it has ended already. What the server sent before can still be received."""
        if self._close is None:
            self._close, self._by_client = close, by_client
            self.to_client.wake()
            self.to_server.wake()

    def error(self) -> ConnectionClosed:
        """Return what ``websockets`` raises on a connection that ended like this."""
        close = self._close
        if close is not None and close.code == CloseCode.ABNORMAL_CLOSURE:
            return ConnectionClosedError(None, None)
        is_ok = close is not None and close.code in OK_CLOSE_CODES
        kind = ConnectionClosedOK if is_ok else ConnectionClosedError
        return kind(close, close, rcvd_then_sent=not self._by_client)

    async def client_frames(self) -> AsyncIterator[str | bytes]:
        try:
            while True:
                yield await self.to_server.get()
        except ConnectionClosed:
            return


class _Pipe:
    """Be one direction: one receives, any number send, and wait while it is full."""

    def __init__(self, link: _Link, sender: Sender, watch: Watch | None) -> None:
        self._link = link
        self._sender: Sender = sender
        self._watch = watch
        self._frames: deque[str | bytes] = deque()
        self._readable = asyncio.Event()
        self._writable = asyncio.Event()

    def wake(self) -> None:
        self._readable.set()
        self._writable.set()

    async def put(self, frame: str | bytes) -> None:
        while len(self._frames) >= _ROOM and not self._link.is_over:
            self._writable.clear()
            await self._writable.wait()
        if self._link.is_over:
            raise self._link.error()
        if self._watch is not None:
            self._watch(self._sender, frame)
        self._frames.append(frame)
        self._readable.set()

    async def get(self) -> str | bytes:
        while not self._frames:
            if self._link.is_over:
                raise self._link.error()
            self._readable.clear()
            await self._readable.wait()
        self._writable.set()
        return self._frames.popleft()


class _ClientSocket:
    """Be what the SDK's connection needs of a WebSocket."""

    def __init__(self, link: _Link) -> None:
        self._link = link

    async def recv(self, decode: bool | None = None) -> Any:
        frame = await self._link.to_client.get()
        return frame.encode() if decode is False and isinstance(frame, str) else frame

    async def send(self, data: str | bytes) -> None:
        await self._link.to_server.put(data)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self._link.end(Close(code, reason), by_client=True)
