"""Decide when a response may be asked for, so that the conversation never has two at a time. Sends nothing.

The server refuses a second response to the default conversation (reported). It starts responses by itself, too, when
the user has spoken, so a request can cross one of those on the wire: then it is refused, and goes out again after it.
"""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

from .cancels import Cancels
from .create_request import Policy, Request, Verdict
from .reading import is_null, read, read_id, read_text
from .response_request import OPEN_ALREADY
from .response_tag import can_merge, is_out_of_band, merged, tag_of, tag_of_create, tagged
from .server_turns import SERVER_TURN_EVENTS, ServerTurns

MOST_WAITING = 64
"""How many requests wait; further ones are refused."""

ANSWER_S = 10.0
"""How long a request may stay unanswered before it counts as lost: a handler behind the arbiter may have dropped it."""

FOLLOWED = SERVER_TURN_EVENTS | {"response.created", "response.done", "error", "local.session_replaced"}
"""The types of the server events that ``server_event`` takes; others change nothing."""

_REMEMBERED = 256
_NOT_ACTIVE = "response_cancel_not_active"
_NAMED = re.compile(r"\bresp_\w+")
_RETRYABLE = frozenset({"rate_limit_exceeded", "inference_rate_limit_exceeded", "server_error"})
"""Codes of failures that may pass by themselves (reported)."""

_Event: TypeAlias = dict[str, Any]


class Arbiter:
    """Follow requests and responses; times are the clock's seconds."""

    def __init__(self, prefix: str, *, retries: int = 0, retry_after_s: float = 1.0) -> None:
        """Begin.

        Args:
            prefix: begins the ids of events that come without one.
            retries: how often a response that failed for the time being is asked for again.
            retry_after_s: how long to wait before the first time; twice as long before each further time.
        """
        self.crossed = 0
        """How many requests crossed another response on the wire, and were made up for."""
        self._prefix = prefix
        self._retries = retries
        self._retry_after_s = retry_after_s
        self._count = 0
        self._orders = 0
        self._turns = ServerTurns()
        self._waiting: list[Request] = []
        self._asked: Request | None = None
        self._released: set[str] = set()  # requests that ``take`` gave out, and that come by again on their way
        self._sent: dict[str, Request] = {}  # what may still be refused, by event id
        self._open: dict[str, Request | None] = {}
        self._beside: set[str] = set()  # open responses that write to no conversation
        self._over: dict[str, None] = {}
        self._tags_are_echoed = False
        self._cancels = Cancels(f"{prefix}_cancel")
        self._cancel_next = False  # the response that is asked for is to be cancelled as soon as it begins

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether no response of the conversation is open, asked for, or waiting."""
        return not (self._waiting or self._open or self._asked)

    # What the client wants.

    def ask(self, event: _Event, policy: Policy, now: float) -> Verdict:
        """Take a ``response.create`` on its way out."""
        if is_out_of_band(event):
            return Verdict("sent", event)  # any number may go on beside the conversation (API reference)
        event_id = event.get("event_id") or self._new_id()
        if event_id in self._released:
            self._released.discard(event_id)
            return Verdict("sent", event)
        request = self._new_request({**event, "event_id": event_id})
        if self._may_ask(now) and not self._waiting:
            self._ask_now(request, now)
            return Verdict("sent", request.event)
        return Verdict(self._wait(request, policy))

    def lost(self, event_id: str) -> None:
        """Take note that an event that ``take`` returned was not sent after all."""
        self._released.discard(event_id)
        request = self._sent.pop(event_id, None)
        if request is not None and request is self._asked:
            self._asked = None

    def cancel(self, event: _Event) -> _Event | None:
        """Take a ``response.cancel`` on its way out; return it, with an id, if there is something to cancel."""
        response_id = read_id(event, "response_id")
        if response_id is None and not self._cancels.are_ours(event):
            response_id = next((each for each in self._open if not self._cancels.is_cancelled(each)), None)
            if response_id is None:
                self._cancel_next = self._cancel_next or self._asked is not None
                return None
        if response_id in self._over:
            return None
        return self._cancels.passing(event, response_id or "")

    def take(self, now: float) -> list[_Event]:
        """Return what is to be sent now."""
        events = self._cancels.take()
        if self._waiting and self._may_ask(now) and self._waiting[0].not_before <= now:
            request = self._waiting.pop(0)
            self._ask_now(request, now)
            self._released.add(request.event_id)
            events.append(request.event)
        return events

    def deadline(self) -> float | None:
        """Return when to call ``take`` again though nothing happens; None where nothing waits for time to pass."""
        if not self._waiting or self._open or self._turns.is_user_speaking:
            return None
        if self._asked is not None:
            return self._asked.asked_at + ANSWER_S
        return max(self._waiting[0].not_before, self._turns.deadline or 0.0)

    # What the server says.

    def server_event(self, event: object, now: float) -> bool:
        """Take a server event; return whether it is about a request that is being made up for."""
        is_servers_due = self._turns.is_response_due
        self._turns.take(event, now)
        match read_text(event, "type"):
            case "response.created":
                self._created(read(event, "response"), is_servers_due=is_servers_due)
            case "response.done":
                return self._done(read(event, "response"), now)
            case "error":
                return self._refused(read(event, "error"))
            case "local.session_replaced":
                self._session_replaced()
            case _:
                pass
        return False

    def _created(self, response: object, *, is_servers_due: bool) -> None:
        response_id = read_id(response, "id")
        if response_id is None or response_id in self._over:
            return
        if is_null(response, "conversation_id"):
            self._beside.add(response_id)
            return
        tag = tag_of(response)
        self._tags_are_echoed = self._tags_are_echoed or tag is not None
        answered = self._asked
        knows_tags = self._tags_are_echoed or is_servers_due
        if answered is not None and knows_tags and tag != tag_of_create(answered.event):
            answered = None  # somebody else's, or the server's own: ours is still on its way
        if answered is not None:
            self._asked = None
            if tag is not None:
                self._sent.pop(answered.event_id, None)  # it cannot be refused any more
        self._open[response_id] = answered
        if self._cancel_next and (answered is not None or self._asked is None):
            self._cancel_next = False
            self._cancels.soon(response_id)

    def _done(self, response: object, now: float) -> bool:
        response_id = read_id(response, "id")
        if response_id is None:
            return False
        is_beside = response_id in self._beside or is_null(response, "conversation_id")
        request = self._open.pop(response_id, None)
        self._beside.discard(response_id)
        self._cancels.done(response_id)
        _remember(self._over, response_id)
        failure = read(read(response, "status_details"), "error")
        if is_beside or read_text(response, "status") != "failed" or read_text(failure, "code") not in _RETRYABLE:
            return False
        return self._retry(request, now)

    def _retry(self, request: Request | None, now: float) -> bool:
        """Ask again for a response that failed, in time; return whether that will be done."""
        if request is None:
            if self._waiting or self._asked is not None:
                return False  # the next one answers what this one did not
            request = self._new_request({"type": "response.create", "event_id": self._new_id()})
        if request.failures >= self._retries:
            return False
        request.not_before = now + self._retry_after_s * 2**request.failures
        request.failures += 1
        self._put_back(request)
        return True

    def _refused(self, error: object) -> bool:
        event_id, code = read_id(error, "event_id"), read_text(error, "code")
        if event_id is None:
            return code == OPEN_ALREADY and self._make_up()
        if self._cancels.refused(event_id):
            return code == _NOT_ACTIVE  # it ended by itself meanwhile
        request = self._sent.pop(event_id, None)
        if request is None:
            return False
        if request is self._asked:
            self._asked = None
        if code != OPEN_ALREADY:
            return False
        for response_id, answered in self._open.items():
            if answered is request:  # which was taken for the answer
                self._open[response_id] = None
        named = _NAMED.search(read_text(error, "message") or "")
        if named is not None and named[0] not in self._over:
            self._open.setdefault(named[0], None)
        self.crossed += 1
        if self._cancel_next:
            self._cancel_next = False  # it was to be ended as soon as it began
        else:
            self._put_back(request)
        return True

    def _make_up(self) -> bool:
        """Ask for the response that the server could not begin by itself, where it does not interrupt (reported)."""
        if not self._waiting:  # the next one answers the user, too
            self._put_back(self._new_request({"type": "response.create", "event_id": self._new_id()}))
        return True

    def _session_replaced(self) -> None:
        """Begin anew on another session; what was asked of the old one is asked of this one."""
        asked, self._asked = self._asked, None
        self._open.clear()
        self._beside.clear()
        if asked is not None:
            self._sent.pop(asked.event_id, None)
            self._put_back(asked)

    # How they are kept.

    def _may_ask(self, now: float) -> bool:
        if self._asked is not None and now - self._asked.asked_at >= ANSWER_S:
            self._asked = None
        return not self._open and self._asked is None and not self._turns.holds(now)

    def _ask_now(self, request: Request, now: float) -> None:
        request.asked_at = now
        self._asked = request
        self._sent[request.event_id] = request
        if len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]

    def _wait(self, request: Request, policy: Policy) -> Literal["waiting", "merged", "refused"]:
        if policy == "refuse" or len(self._waiting) >= MOST_WAITING:
            return "refused"
        if policy == "replace":
            self._waiting = [request]
            self._cancel_next = self._cancel_next or self._asked is not None
            for response_id in self._open:
                self._cancels.soon(response_id)
        elif policy == "merge" and self._waiting and can_merge(self._waiting[-1].event, request.event):
            last = self._waiting[-1]
            last.event = merged(last.event, request.event)
            return "merged"
        else:
            self._waiting.append(request)
        return "waiting"

    def _new_request(self, event: _Event) -> Request:
        self._orders += 1
        return Request(self._orders, tagged(event, event["event_id"]))

    def _put_back(self, request: Request) -> None:
        self._waiting.append(request)
        self._waiting.sort(key=lambda each: each.order)

    def _new_id(self) -> str:
        self._count += 1
        return f"{self._prefix}_{self._count}"


def _remember(ids: dict[str, None], new: str) -> None:
    ids[new] = None
    if len(ids) > _REMEMBERED:
        del ids[next(iter(ids))]
