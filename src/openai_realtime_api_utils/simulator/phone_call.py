"""Run the session of a call: somebody on the line, whose sound goes its own way, and connections that watch.

The sound of a real call comes by WebRTC or SIP. Here it comes by WebRTC (``webrtc``), or from a program, so that what
a server does beside a call can be tried: what it configures, hears of, and answers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ..clock import Clock
from ..errors import SimulatorError
from .base_session import MAIN
from .commands import For, Hush, Play
from .config import updated
from .engine import Engine
from .faulty_engine import FaultyEngine
from .refusals import missing
from .runner import Incoming, as_frame, run
from .session import Session
from .sideband import Close, Send, Sideband

if TYPE_CHECKING:
    from ..ports import Samples
    from .service import Service

_ROOM = 1024
"""Frames and stretches of sound on their way to the session; whoever adds one more waits."""


def unheard(_samples: Samples) -> None:
    """Let speech pass that nobody listens to."""


def no_hush() -> None:
    """Have nothing to silence."""


class PhoneCall:
    """Be a call: its session, the one who called, and the sidebands that are attached to it."""

    def __init__(
        self,
        session: Session,
        engine: Engine,
        clock: Clock,
        *,
        on_speech: Callable[[Samples], object] = unheard,
        on_hush: Callable[[], object] = no_hush,
    ) -> None:
        """Prepare a call; ``run`` runs it.

        Args:
            session: a session with a ``call_id``.
            engine: what listens, thinks and speaks.
            clock: what everything waits on.
            on_speech: is given what the caller is to hear, int16 at ``engine.RATE``, sooner than it is to sound.
            on_hush: is told that nothing more of that is to sound.
        """
        self._session = session
        self._engine = engine
        self._clock = clock
        self._on_speech = on_speech
        self._on_hush = on_hush
        self._incoming: deque[Incoming] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._views: dict[int, Sideband] = {}
        self._last_view = MAIN
        self._is_over = False
        self._ending = (1000, "")
        """The close code and reason for those that are attached."""

    @property
    def id(self) -> str:
        """Return what a sideband connects with, as ``?call_id=``."""
        return str(self._session.call_id)

    @property
    def is_over(self) -> bool:
        return self._is_over

    async def run(self) -> None:
        """Run the session until somebody hangs up or it expires."""
        try:
            await run(
                self._session,
                self._engine,
                clock=self._clock,
                frames=self._steps(),
                send=self._send_all,
                close=self._close,
                on_call=self._carry_out,
            )
        finally:
            self.hang_up()
            for view in list(self._views.values()):
                await view.end(*self._ending)

    async def speak(self, samples: Samples) -> None:
        """Let the caller say something: int16, mono, at ``engine.RATE``."""
        await self._put(lambda now: self._session.hear(samples, now))

    async def press(self, key: str) -> None:
        """Let the caller press a key of the telephone."""
        await self._put(lambda now: self._session.dial(key, now))

    def hang_up(self) -> None:
        """End the call; every connection that is attached to it is closed."""
        self._is_over = True
        self._news.set()
        self._room.set()

    def check(self, given: dict[str, Any]) -> None:
        """Check a configuration that a call is to be accepted with.

        Raises:
            Refusal: it is refused.
        """
        if "type" not in given:
            raise missing("type")
        updated(self._session.config, given, may_name_model=True)

    def configure(self, given: dict[str, Any]) -> None:
        """Take a configuration over."""
        event = {"type": "session.update", "session": given}
        self._incoming.append(lambda now: self._session.receive(event, now))
        self._news.set()

    async def attach(
        self, frames: AsyncIterator[str | bytes], send: Send, close: Close, *, view: int | None = None
    ) -> None:
        """Let a connection watch and take part until it, or the call, is over.

        It gets no ``session.created``, unless it is the caller's own, the view ``MAIN``, attached before the call runs.
        """
        self._last_view += 1
        number = self._last_view if view is None else view
        self._views[number] = sideband = Sideband(self._clock, send, close)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sideband.deliver(), name=f"sideband {number} of call {self.id}")
            try:
                async for frame in frames:
                    if self._is_over:
                        break
                    await self._put(lambda now, frame=frame: self._session.receive_text(frame, now, number))
            finally:
                del self._views[number]
                sideband.leave()

    async def _put(self, step: Incoming) -> None:
        while len(self._incoming) >= _ROOM and not self._is_over:
            self._room.clear()
            await self._room.wait()
        if self._is_over:
            raise SimulatorError(f"The call {self.id} is over: make another one.")
        self._incoming.append(step)
        self._news.set()

    async def _steps(self) -> AsyncIterator[Incoming]:
        while not self._is_over:
            if self._incoming:
                self._room.set()
                yield self._incoming.popleft()
            else:
                self._news.clear()
                await self._news.wait()

    async def _send_all(self, frame: str) -> None:
        for view in list(self._views.values()):
            await view.put(frame)

    async def _close(self, code: int, reason: str) -> None:
        self._ending = (code, reason)
        self.hang_up()

    async def _carry_out(self, command: For | Play | Hush) -> None:
        match command:
            case For():
                view = self._views.get(command.view)
                if view is not None:
                    await view.put(as_frame(command.event))
            case Play():
                self._on_speech(command.samples)
            case Hush():
                self._on_hush()


def begin_call(
    service: Service,
    *,
    model: str | None,
    given: dict[str, Any] | None,
    on_speech: Callable[[Samples], object],
    on_hush: Callable[[], object],
) -> PhoneCall:
    """Make a call, to be run; sidebands find it by its id in ``service.calls`` until it is taken out there.

    Raises:
        Refusal: ``given`` is refused.
    """
    session = service.new_call(model, given)
    engine = service.engine_factory()
    if service.faults is not None:
        engine = FaultyEngine(engine, service.faults)
    call = PhoneCall(session, engine, service.clock, on_speech=on_speech, on_hush=on_hush)
    service.calls[call.id] = call
    return call


@asynccontextmanager
async def open_call(
    service: Service,
    *,
    model: str | None,
    given: dict[str, Any] | None,
    on_speech: Callable[[Samples], object],
    on_hush: Callable[[], object],
) -> AsyncGenerator[PhoneCall]:
    """Have somebody call until the block is left; sidebands find the call by its id.

    Raises:
        Refusal: ``given`` is refused.
    """
    call = begin_call(service, model=model, given=given, on_speech=on_speech, on_hush=on_hush)
    failure: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(call.run(), name=f"call {call.id}")
            try:
                yield call
            except BaseException as error:  # noqa: BLE001  (raised below, as it is and not as a group)
                failure = error
            call.hang_up()
    finally:
        del service.calls[call.id]
    if failure is not None:
        raise failure
