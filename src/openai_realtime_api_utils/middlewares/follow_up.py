"""Let the model go on when its calls are answered: once, after its response, and not into the user's words."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

from ..clock import Clock
from ..errors import ConnectionLost
from ..handlers import HANDLED, Metadata
from ..ports import Send
from ..state.call_answers import follow_up, out_of_band_follow_up
from ..state.calls import Calls, Round
from ..state.conversation import Conversation
from ..state.reading import at, is_null, plain_dict, read, read_id, read_list, read_text
from ..state.response_request import ResponseRequest
from ..state.response_tag import body_of, tag_of, tag_of_create, tagged
from ..state.server_turns import ServerTurns

_REMEMBERED = 256
"""How many requests with wishes of their own are remembered, for the responses that follow up on theirs."""

_LOOK_S = 0.1
"""How often to look whether the assistant has ceased to speak."""

_logger = logging.getLogger(__name__)


class FollowUp:
    """Follow the responses, and ask for the ones that calls make necessary."""

    def __init__(self, clock: Clock, conversation: Conversation | None, is_speaking: Callable[[], bool]) -> None:
        self.calls = Calls()
        self.send: Send | None = None
        self._clock = clock
        self._conversation = conversation
        self._is_speaking = is_speaking
        prefix = f"call_tools_{secrets.token_hex(3)}"
        self._prefix = prefix
        self._count = 0
        self._request = ResponseRequest(prefix)
        self._turns = ServerTurns()
        self._tool_choice: Any = None
        self._asked: dict[str, dict[str, Any]] = {}
        self._unseen: set[str] = set()  # calls whose answer the server has not put into the conversation
        self._output_of: dict[str, str] = {}  # event id -> the call that it answers
        self._looking_at: float | None = None

    # What passes by.

    def client_event(self, event: dict[str, Any]) -> dict[str, Any]:
        """Learn how responses are asked for; those with wishes of their own are tagged, to be known again."""
        if event["type"] == "session.update":
            self._tool_choice = at(event, "session", "tool_choice", default=self._tool_choice)
        elif event["type"] == "response.create" and body_of(event):
            event = tagged(event, event.get("event_id") or self._new_id())
            tag = tag_of_create(event)
            if tag is not None:
                self._asked[tag] = body_of(event)
                _forget_oldest(self._asked)
        return event

    def server_event(self, event: Any, metadata: Metadata) -> bool:
        """Take a server event; return whether it is a refusal that is being made up for."""
        self._turns.take(event, self._clock.now())
        match event.type:
            case "response.created":
                self._created(read(event, "response"))
            case "response.done":
                self._done(read(event, "response"))
            case "conversation.item.added" | "conversation.item.created":
                self._unseen.discard(read_text(read(event, "item"), "call_id") or "")
            case "error":
                return self._refused(read(event, "error"), metadata)
            case _:
                pass
        return False

    def _created(self, response: Any) -> None:
        response_id = read_id(response, "id")
        if response_id is None:
            return
        found = self.calls.round(response_id)
        found.is_out_of_band = is_null(response, "conversation_id")
        found.tag = tag_of(response)
        found.metadata = plain_dict(read(response, "metadata"))
        if not found.is_out_of_band:
            self._request.created(response_id)
            if not self._unseen:
                self._request.withdraw()  # it sees all answers

    def _done(self, response: Any) -> None:
        response_id = read_id(response, "id")
        if response_id is not None:
            found = self.calls.round(response_id)
            found.status = read_text(response, "status") or "completed"
            found.output = tuple(map(plain_dict, read_list(response, "output")))
            self._request.done(response_id)

    def _refused(self, error: Any, metadata: Metadata) -> bool:
        event_id, code = read_id(error, "event_id"), read_text(error, "code")
        call_id = self._output_of.pop(event_id or "", None)
        if call_id is not None:
            # The call is not in the conversation any more: it was deleted meanwhile, and nobody waits for its answer.
            self._unseen.discard(call_id)
            HANDLED.put(metadata, True)
            _logger.info("The answer to the call %s was refused: %s", call_id, read_text(error, "message"))
            return False
        if self._request.refused(event_id, code):
            HANDLED.put(metadata, True)
            return True
        return False

    # What it comes to.

    async def answer(self, call_id: str, item: dict[str, Any], *, is_continued: bool) -> None:
        """Send what answers a call of the conversation, and let the model go on if that was the last."""
        create = self._create(item)
        self._output_of[create["event_id"]] = call_id
        _forget_oldest(self._output_of)
        self._unseen.add(call_id)
        await self.tell(create)
        self.calls.end(call_id, is_continued=is_continued)
        self.go_on()

    async def report(self, item: dict[str, Any]) -> None:
        """Put an item into the conversation, and have the model speak of it when nobody else does."""
        await self.tell(self._create(item))
        while self._is_speaking() or self._request.is_answering or self._turns.holds(self._clock.now()):
            await self._clock.sleep_until(self._clock.now() + _LOOK_S)
        self._request.want()
        self.go_on()

    def go_on(self) -> None:
        """Ask for what is to be asked for now."""
        for over in self.calls.finished():
            asked = self._asked.get(over.tag or "", {})
            if over.is_out_of_band:
                self._ask_out_of_band(over, asked)
            else:
                self._request.want(follow_up(over, asked, self._tool_choice))
        now = self._clock.now()
        if not self._turns.holds(now):
            create = self._request.take()
            if create is not None:
                self._spawn(self.tell(create), "go on")
        elif self._request.is_wanted and (deadline := self._turns.deadline) not in (None, self._looking_at):
            self._looking_at = deadline
            self._spawn(self._look_again(deadline), "go on after the user")

    def want(self) -> None:
        """Have the model go on, although no call of a known response is behind it."""
        self._request.want()
        self.go_on()

    async def tell(self, event: dict[str, Any]) -> None:
        """Send an event, unless the connection is gone: ``keep_receiving`` tells that."""
        if self.send is not None:
            try:
                await self.send(event)
            except ConnectionLost:
                return

    async def _look_again(self, deadline: float) -> None:
        await self._clock.sleep_until(deadline)
        self.go_on()

    def _ask_out_of_band(self, over: Round, asked: dict[str, Any]) -> None:
        items = () if self._conversation is None else self._conversation.items
        body = out_of_band_follow_up(over, asked, self._tool_choice, items)
        self._spawn(self.tell({"type": "response.create", "event_id": self._new_id(), "response": body}), "go on")

    def _spawn(self, work: Any, name: str) -> None:
        if self.send is None:
            work.close()
        else:
            self.send.spawn(work, name=name)

    def _create(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return the event that creates an item, with an id of ours: so it is known again if it comes twice."""
        event_id = self._new_id()
        return {"type": "conversation.item.create", "event_id": event_id, "item": {"id": event_id, **item}}

    def _new_id(self) -> str:
        self._count += 1
        return f"{self._prefix}_event_{self._count}"


def _forget_oldest(remembered: dict[str, Any]) -> None:
    if len(remembered) > _REMEMBERED:
        del remembered[next(iter(remembered))]
