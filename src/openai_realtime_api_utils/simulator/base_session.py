"""Hold what all kinds of session share: frames in, events and commands out, time as an argument, and no I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from pydantic_core import from_json

from .commands import Close, Command, For, Result
from .ids import Ids
from .outbox import Outbox, Timeline
from .refusals import Refusal, missing, unsupported
from .settings import Settings

Handler: TypeAlias = Callable[[dict[str, Any], float], None]
"""Does what one type of client event asks for, at a time; raises ``Refusal`` to refuse it."""

MAIN = 0
"""The view of the connection that opened the session; sidebands of a call take other numbers."""
_EXPIRED = "Your session hit the maximum duration of 60 minutes."


class BaseSession(ABC):
    """Take frames, refuse what is wrong with them, keep time, and expire.

    Call ``receive_text`` for each frame of the client's, ``feed`` for each result of the engine's, and ``advance`` when
    ``deadline`` has come; after each of them, take what is to be sent and done with ``poll``. The same calls with the
    same arguments give the same events, ids included.
    """

    config: dict[str, Any]
    """The effective configuration, as ``session.updated`` shows it."""
    handlers: Mapping[str, Handler]
    """What each client event does; those that are not here are refused, with the list of those that are."""

    def __init__(self, *, now: float, settings: Settings | None, ids: Ids | None, call_id: str | None = None) -> None:
        self.settings = settings or Settings()
        self.call_id = call_id
        """The call whose session this is; None at a plain WebSocket, where there is one view only."""
        self._outbox = Outbox(ids or Ids(self.settings.seed))
        self._timeline = Timeline()
        self._timeline.at(now + self.settings.lifetime_s, "", self._expire)

    @abstractmethod
    def feed(self, result: Result, now: float) -> None:
        """Take what an engine has come to."""

    @abstractmethod
    def busy_until(self, response_id: str) -> float | None:
        """Return when all that a response was given will be out, so that an engine need not run far ahead.

        None if it is over.
        """

    def receive_text(self, frame: str | bytes, now: float, view: int = MAIN) -> None:
        """Take a frame as it came: text, or bytes if it was a binary one, which the service does not take.

        Args:
            frame: the frame.
            now: the time.
            view: which of the connections attached to a call sent it; only that one is told what is wrong with it.
        """
        if isinstance(frame, bytes):
            what = "Binary frames are not supported: send events as text."
            self._refuse(Refusal(what, code="invalid_event"), None, view)
            return
        try:
            event: Any = from_json(frame, allow_inf_nan=False)  # also refuses half characters and bottomless nesting
        except ValueError:
            what = "The frame is not valid JSON: send one JSON object."
            self._refuse(Refusal(what, code="invalid_event"), None, view)
            return
        self.receive(event, now, view)

    def receive(self, event: Any, now: float, view: int = MAIN) -> None:
        """Take a client event. What is wrong with it is answered with an ``error`` event, never raised."""
        self.advance(now)
        event_id = cast("dict[str, Any]", event).get("event_id") if isinstance(event, dict) else None
        try:
            self._receive(event, now)
        except Refusal as error:
            refusal = error  # the name of an exception does not outlive its clause
            self._timeline.at(now + error.after_s, "", lambda _: self._refuse(refusal, event_id, view))
            self.advance(now)

    def advance(self, now: float) -> None:
        """Do what has become due."""
        self._timeline.advance(now)

    def deadline(self) -> float | None:
        """Return when ``advance`` is to be called next."""
        return self._timeline.next()

    def poll(self) -> list[dict[str, Any] | Command]:
        """Return the events to send, to every view, and the commands to carry out, in order.

        In the session of a call, an event that is for one view alone comes as the command ``For``.
        """
        return self._outbox.take()

    def _receive(self, event: Any, now: float) -> None:
        if not isinstance(event, dict):
            raise Refusal("The event is not a JSON object: send one.", code="invalid_event")
        given = cast("dict[str, Any]", event)
        kind = given.get("type")
        if kind is None:
            raise Refusal("The 'type' field is missing.", code="invalid_event")
        handler = self.handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise unsupported("type", kind, tuple(self.handlers))
        handler(given, now)

    def _refuse(self, refusal: Refusal, event_id: object, view: int | None = None) -> None:
        self._tell(view, "error", error=refusal.as_error(event_id))

    def _tell(self, view: int | None, event_type: str, **fields: Any) -> None:
        """Send an event to one view where there may be several, else to all there are."""
        if view is None or self.call_id is None:
            self._outbox.event(event_type, **fields)
        else:
            self._outbox.command(For(view, self._outbox.made(event_type, **fields)))

    def _expire(self, now: float) -> None:
        self._refuse(Refusal(_EXPIRED, code="session_expired"), None)
        self._outbox.command(Close(1001, _EXPIRED))


def required(event: dict[str, Any], name: str) -> Any:
    """Return a field of a client event that has to be there.

    Raises:
        Refusal: it is not.
    """
    if name not in event:
        raise missing(name)
    return event[name]
