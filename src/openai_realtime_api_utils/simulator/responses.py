"""Begin and end responses: at most one at a time that writes to the conversation, any number beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .checks import list_of
from .config import checked_response, is_second_generation
from .conversation import Conversation, Entry
from .engine import Fail
from .items import as_stored, checked_reference, spoken_audio
from .mcp import Mcp
from .outbox import Outbox, Timeline
from .plan import Plan, plan_for
from .playout import Playout
from .prompt_cache import PromptCache
from .prompt_truncation import fitted, input_limit
from .rate_limits import TokenBucket
from .refusals import Refusal
from .response import Response
from .settings import Settings
from .tokens import count_head
from .tool_choice import check_choice

if TYPE_CHECKING:
    from .commands import Thought

_MOST_OPEN = 100
"""Responses at a time, out of band nearly all: nobody needs more, and each costs memory."""
_TOO_MUCH = Fail(
    "rate_limit_exceeded", "Rate limit reached for tokens per minute: wait until the limit is reset, and try again."
)


class Responses:
    """Keep the responses that are under way."""

    def __init__(
        self,
        settings: Settings,
        *,
        conversation: Conversation,
        outbox: Outbox,
        timeline: Timeline,
        playout: Playout | None,
        mcp: Mcp,
        now: float,
        listen_to: Callable[[Entry], None],
    ) -> None:
        self._settings = settings
        self._conversation = conversation
        self._outbox = outbox
        self._timeline = timeline
        self._playout = playout
        self._listen_to = listen_to
        self._open: dict[str, Response] = {}
        self._mcp = mcp
        self._cache = PromptCache()
        self._bucket = TokenBucket(settings.tokens_per_minute, now)
        self.speech_ends: float | None = None
        """When the speech of the latest response that is done is over for who plays it as it comes."""

    @property
    def active(self) -> Response | None:
        """Return the response that writes to the conversation now."""
        return next((each for each in self._open.values() if not each.plan.is_out_of_band), None)

    def create(self, session: dict[str, Any], unseen: Mapping[str, Any], given: Any, now: float) -> None:
        """Begin a response.

        Args:
            session: the session's configuration.
            unseen: what was configured and the session does not show.
            given: the ``response`` that the client asked for; None for one of the service's own.
            now: the time.

        Raises:
            Refusal: what was asked for is refused, or another response writes to the conversation still.
        """
        asked = checked_response(given, session, voice_is_locked=self._conversation.has_assistant_audio)
        tools = asked.get("tools", session["tools"])
        check_choice(asked.get("tool_choice", session["tool_choice"]), tools)
        servers = self._mcp.check(tools)
        plan = plan_for(session, unseen, asked, self._mcp.offers(servers))
        active = self.active
        if active is not None and not plan.is_out_of_band:
            raise Refusal(
                f"Conversation already has an active response in progress: {active.id}. "
                "Wait until the response is finished before creating a new one.",
                code="conversation_already_has_active_response",
            )
        if len(self._open) >= _MOST_OPEN:
            raise Refusal(
                f"{_MOST_OPEN} responses are in progress: wait until one of them is done.", code="rate_limit_exceeded"
            )
        context = self._context(asked["input"]) if "input" in asked else self._fitted(session, plan)
        self._mcp.use(servers, now)
        response = Response(
            plan,
            context,
            conversation=self._conversation,
            outbox=self._outbox,
            timeline=self._timeline,
            settings=self._settings,
            playout=self._playout,
            mcp=self._mcp,
            cache=self._cache,
            on_done=self._done,
            now=now,
        )
        self._open[response.id] = response
        if self._bucket.is_empty(now):
            response.refuse(_TOO_MUCH, now)
        else:
            response.think()

    def _fitted(self, session: dict[str, Any], plan: Plan) -> list[Entry]:
        """Return what fits of the conversation."""
        limit = self._settings.input_tokens or input_limit(is_second_generation=is_second_generation(session["model"]))
        head = count_head(plan.instructions, plan.choice.tools)
        return fitted(self._conversation.entries, session["truncation"], head, limit)

    def cancel(self, response_id: object, reason: str, now: float) -> None:
        """End a response early: the one named, else the one that writes to the conversation.

        Raises:
            Refusal: there is none.
        """
        response = self.active if response_id is None else self._open.get(str(response_id))
        if response is None:
            raise Refusal("Cancellation failed: no active response found", code="response_cancel_not_active")
        response.cancel(reason, now)

    def go_on(self) -> None:
        """Let those think that waited for something to be understood."""
        for response in list(self._open.values()):
            response.think()

    def take(self, result: Thought, now: float) -> None:
        response = self._open.get(result.response_id)
        if response is not None:
            response.take(result.thought, result.samples, now)

    def finish(self, response_id: str, now: float) -> None:
        response = self._open.get(response_id)
        if response is not None:
            response.finish(now)

    def busy_until(self, response_id: str) -> float | None:
        """Return when all that a response was given will be out; None if it is over."""
        response = self._open.get(response_id)
        return response.busy_until if response is not None else None

    def _context(self, given: Any) -> list[Entry]:
        checked = list_of(checked_reference)(given, "response.input")
        return [self._entry(each, i) for i, each in enumerate(checked)]

    def _entry(self, given: str | dict[str, Any], index: int) -> Entry:
        if isinstance(given, str):
            entry = self._conversation.find(given)
            if entry is None:
                raise Refusal(
                    f"Error referencing item: the item with id '{given}' does not exist.",
                    code="invalid_value",
                    param=f"response.input[{index}].id",
                )
            return entry
        return self.new_entry(given)

    def new_entry(self, item: dict[str, Any]) -> Entry:
        """Make an entry of a client's item, and have its sound listened to if it has any."""
        self._conversation.check_room(item)
        stored = as_stored(item, item_id=self._outbox.ids.new("item"), call_id=self._outbox.ids.new("call"))
        entry = Entry(stored)
        data = spoken_audio(item)
        if data:
            entry.samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)
            entry.n_samples = len(entry.samples)
            self._listen_to(entry)
        return entry

    def _done(self, response: Response, now: float) -> None:
        self._open.pop(response.id, None)
        self._bucket.spend((response.usage or {}).get("total_tokens", 0), now)
        if not response.plan.is_out_of_band and response.speech_ends is not None:
            self.speech_ends = response.speech_ends
        self._outbox.event("rate_limits.updated", rate_limits=self._bucket.limits(now))
        if self._playout is not None:
            self._playout.finish(response.id, now)
