"""Keep the conversation to one response at a time, whoever asks for them."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast, get_args

from ..clock import Clock, SystemClock
from ..errors import ConnectionLost, HandlerError
from ..handlers import HANDLED, Metadata, MetadataKey, for_types
from ..ports import Send
from ..state.arbiter import FOLLOWED, MOST_WAITING, Arbiter, Policy
from .registered_send import registered

_logger = logging.getLogger(__name__)

POLICY: MetadataKey[Policy] = MetadataKey("policy")
"""Put a policy here on a ``response.create``, in a client handler before ``ArbitrateResponses``, and it counts."""

ChoosePolicy: TypeAlias = Callable[[Mapping[str, Any], Metadata], Policy]
"""Chooses by the ``response.create`` and its metadata, in which ``SENT_BY`` names the middleware that sent it."""


class ArbitrateResponses:
    """Let a ``response.create`` through when no response of the conversation is open, asked for, or about to come.

    Hook both handlers: the client's behind ``GiveClientEventId`` and before those that watch what is sent; the server's
    before those that must not see refusals that are made up for. What waits is sent later; ``send`` returns None then.
    """

    def __init__(
        self,
        policy: Policy | ChoosePolicy = "queue",
        *,
        retries: int = 0,
        retry_after_s: float = 1.0,
        clock: Clock | None = None,
    ) -> None:
        """Make an arbiter.

        Args:
            policy: what becomes of a request that comes while another response is on its way. ``"queue"``: it waits for
                its turn. ``"merge"``: it is made one with a request that waits already. ``"refuse"``: it is dropped.
                ``"replace"``: the response is cancelled, those that wait are dropped, and this one comes next. Or a
                function that chooses among them.
            retries: how often a response is asked for again that failed for the time being (rate limit, server error).
            retry_after_s: how long to wait before the first time; twice as long before each further time.
            clock: the machine's own by default.

        Raises:
            HandlerError: there is no such policy.
        """
        self._policy = policy if callable(policy) else _checked(policy)
        self._clock = clock or SystemClock()
        self._arbiter = Arbiter(f"arbiter_{secrets.token_hex(3)}", retries=retries, retry_after_s=retry_after_s)
        self._policies: dict[str, Policy] = {}
        self._send: Send | None = None
        self._alarm_at: float | None = None

    @property
    def waiting(self) -> int:
        """How many requests wait for their turn."""
        return self._arbiter.waiting

    @property
    def crossed(self) -> int:
        """How many requests crossed another response on the wire, and were made up for."""
        return self._arbiter.crossed

    @property
    def is_idle(self) -> bool:
        """Whether no response of the conversation is open, asked for, or waiting."""
        return self._arbiter.is_idle

    def register_send_with_handlers(self, send: Send) -> None:
        """Take the ``send`` of ``hook_handlers``."""
        self._send = send.by("ArbitrateResponses")

    async def create(self, response: Mapping[str, Any] | None = None, *, policy: Policy | None = None) -> Any:
        """Ask for a response, by a policy of its own; return the event as it was sent, None if it waits or was dropped.

        Raises:
            HandlerError: there is no such policy, or ``send`` was not registered.
        """
        event: dict[str, Any] = {"type": "response.create", **({"response": dict(response)} if response else {})}
        if policy is not None:
            event["event_id"] = f"create_{secrets.token_hex(6)}"
            self._policies[event["event_id"]] = _checked(policy)
        return await registered(self._send, "ArbitrateResponses")(event)

    @for_types(["response.create", "response.cancel"])
    def client_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Let requests through, or keep them back; give cancels the id of what they cancel, or drop them."""
        match event["type"]:
            case "response.create":
                event = self._request(event, metadata)
            case "response.cancel":
                event = self._arbiter.cancel(event)
            case _:
                return event, metadata
        self._go_on()
        return event, metadata

    @for_types(FOLLOWED)
    def server_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Follow the responses; take out refusals that are made up for."""
        if event.type not in FOLLOWED:
            return event, metadata
        is_made_up_for = self._arbiter.server_event(event, self._clock.now())
        if is_made_up_for:
            HANDLED.put(metadata, True)
        self._go_on()
        return (None if is_made_up_for and event.type == "error" else event), metadata

    def _request(self, event: Any, metadata: Metadata) -> Any:
        policy = self._policies.pop(event.get("event_id") or "", None) or POLICY.get(metadata)
        if policy is None:
            policy = self._policy(event, metadata) if callable(self._policy) else self._policy
        verdict = self._arbiter.ask(event, _checked(policy), self._clock.now())
        if verdict.fate == "refused":
            why = "by policy" if policy == "refuse" else f"for {MOST_WAITING} wait already"
            _logger.info("A response.create was dropped %s: another response is on its way.", why)
        return verdict.event

    def _go_on(self) -> None:
        now = self._clock.now()
        events = self._arbiter.take(now)
        if events:
            registered(self._send, "ArbitrateResponses").spawn(self._tell(events), name="ask in turn")
        due = self._arbiter.deadline()
        if due is not None and due != self._alarm_at:
            self._alarm_at = due
            registered(self._send, "ArbitrateResponses").spawn(self._ring(due), name="look again")

    async def _ring(self, due: float) -> None:
        await self._clock.sleep_until(due)
        if self._alarm_at == due:
            self._alarm_at = None
            self._go_on()

    async def _tell(self, events: list[dict[str, Any]]) -> None:
        send = registered(self._send, "ArbitrateResponses")
        try:
            for event in events:
                if await send(event) is None:
                    self._arbiter.lost(event["event_id"])
        except ConnectionLost:
            return  # keep_receiving tells it


def _checked(policy: Any) -> Policy:
    if policy not in get_args(Policy):
        raise HandlerError(f"There is no policy {policy!r}: choose one of {', '.join(get_args(Policy))}.")
    return cast("Policy", policy)
