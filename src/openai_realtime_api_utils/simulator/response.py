"""Make one response: take what the model thinks, and let it out in time, in the order of the recorded sessions."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .commands import Stop, Think
from .conversation import Conversation, Entry
from .engine import RATE, Call, Fail, Say, Turn
from .mcp import Mcp
from .mcp_tools import Offer
from .new_items import function_call, mcp_item, message_item
from .outbox import Outbox, Timeline
from .output import FunctionCall, McpCall, Output, SpokenMessage, TextMessage
from .plan import Plan
from .playout import Playout
from .prompt_cache import Prompt, PromptCache
from .seen_items import items_for_engine
from .settings import Settings
from .sound import Encoder
from .tokens import Count, assistant_audio_tokens, count_head, count_item, response_usage, tokens

if TYPE_CHECKING:
    from ..ports import Samples

_CHUNK_MS = (100, 200, 300, 400)
"""How long an audio delta may be; the service's own sizes are not known."""
_TRANSCRIPT_LEAD_S = 0.3
"""How far the transcript runs ahead of the sound: a few of its deltas come first (recorded sessions)."""

_ERROR_TYPES = {
    "server_error": "server_error",
    "insufficient_quota": "insufficient_quota",
    "rate_limit_exceeded": "rate_limit_error",
    "inference_rate_limit_exceeded": "rate_limit_error",
}


class Response:
    """Be one response, from ``response.created`` to ``response.done``.

    What the model thinks comes when it comes, mostly at once; the events are put on the timeline at the pace at which
    the service would generate them. A cancelled response drops what is still there.
    """

    def __init__(
        self,
        plan: Plan,
        context: Sequence[Entry],
        *,
        conversation: Conversation,
        outbox: Outbox,
        timeline: Timeline,
        settings: Settings,
        playout: Playout | None,
        mcp: Mcp,
        cache: PromptCache,
        on_done: Callable[[Response, float], None],
        now: float,
    ) -> None:
        self.id = outbox.ids.new("resp")
        self.plan = plan
        self.usage: dict[str, Any] | None = None
        self.speech_ends: float | None = None
        """When its speech would be over for a listener who plays it as it comes."""
        self._context = context
        self._conversation = conversation
        self._outbox = outbox
        self._timeline = timeline
        self._settings = settings
        self._playout = playout
        self._mcp = mcp
        self._cache = cache
        self._on_done = on_done
        self._outputs: list[Output] = []
        self._message: TextMessage | SpokenMessage | None = None
        self._free_at = now + settings.first_audio_s
        self._spent = 0
        self._was_asked = False
        self._is_thinking = False
        self._is_over = False
        outbox.event("response.created", response=self._shown("in_progress", None))

    def think(self) -> None:
        """Ask the model, as soon as everything that was said is understood."""
        if self._was_asked or self._is_over or not all(entry.is_heard for entry in self._context):
            return
        self._was_asked = self._is_thinking = True
        turn = Turn(
            self.plan.instructions,
            items_for_engine(self._context),
            self.plan.choice.tools,
            self.plan.choice.choice,
            self.plan.modality,
        )
        self._outbox.command(Think(self.id, turn, self.plan.voice, self.plan.speed))

    def refuse(self, failure: Fail, now: float) -> None:
        """Fail it without asking the model."""
        self._was_asked = True
        self.take(failure, None, now)

    @property
    def busy_until(self) -> float:
        """Return when everything that the model has thought so far will be out."""
        return self._free_at

    def take(self, thought: Say | Call | Fail, samples: Samples | None, now: float) -> None:
        """Put a thought on the timeline, after those before it."""
        admitted = None if self._is_over else self.plan.choice.admit(thought)
        start = max(now, self._free_at)
        match admitted:
            case None:
                pass
            case Say():
                self._say(admitted, samples, start)
            case Call():
                self._call(admitted, start)
            case Fail("content_filter"):
                details = {"type": "incomplete", "reason": "content_filter"}
                self._at(start, lambda now: self._end("incomplete", details, now))
            case Fail():
                error = {
                    "type": _ERROR_TYPES.get(admitted.code, "invalid_request_error"),
                    "code": admitted.code,
                    "message": admitted.message,
                }
                self._at(start, lambda now: self._end("failed", {"type": "failed", "error": error}, now))

    def finish(self, now: float) -> None:
        """Complete the response once everything is out."""
        if not self._is_over:
            self._is_thinking = False
            owed = self.plan.choice.owed()
            if owed is not None:
                self._call(owed, max(now, self._free_at))
            self._at(max(now, self._free_at), lambda now: self._end("completed", None, now))

    def cancel(self, reason: str, now: float) -> None:
        """End it here and now."""
        self._end("cancelled", {"type": "cancelled", "reason": reason}, now)

    def _at(self, due: float, step: Callable[[float], None]) -> None:
        self._timeline.at(due, self.id, step)

    def _say(self, say: Say, samples: Samples | None, start: float) -> None:
        message = self._message
        if message is None:
            message = self._message = self._new_message(say.phase)
            self._at(start, lambda _: self._open(message))
        if isinstance(message, TextMessage) or samples is None:
            self._free_at = self._write(message, tokens(say.text), start)
            return
        pace = self._settings.pace
        length = len(samples) / RATE
        said = 0
        for token in tokens(say.text):
            lead = max(0.0, said / len(say.text) * length - _TRANSCRIPT_LEAD_S)
            self._at(start + lead / pace, lambda now, token=token: self._grow(message, token, now))
            said += len(token)
        at = 0
        while at < len(samples):
            chunk = samples[at : at + self._outbox.ids.random.choice(_CHUNK_MS) * RATE // 1000]
            self._at(start + at / RATE / pace, lambda now, chunk=chunk: self._sound(message, chunk, now))
            at += len(chunk)
        self._free_at = start + length / pace

    def _write(self, output: Output, deltas: Sequence[str], start: float) -> float:
        for i, delta in enumerate(deltas):
            due = start + i / self._settings.text_tokens_per_s
            self._at(due, lambda now, delta=delta: self._grow(output, delta, now))
        return start + len(deltas) / self._settings.text_tokens_per_s

    def _call(self, call: Call, start: float) -> None:
        offer = self.plan.choice.offer(call.name)
        output = self._new_call(call, offer)
        message, self._message = self._message, None
        if message is not None and not self.plan.has_phases:
            self._at(start, lambda _: message.close("completed"))
        self._at(start, lambda _: self._open(output))
        arguments = json.dumps(dict(call.arguments), ensure_ascii=False, separators=(",", ":"))
        self._free_at = self._write(output, tokens(arguments), start)
        if message is not None and self.plan.has_phases:
            self._at(self._free_at, lambda _: message.close("completed"))
        if isinstance(output, McpCall) and offer is not None:
            self._at(self._free_at, lambda now: self._reach_out(output, offer, now))
        else:
            self._at(self._free_at, lambda _: output.close("completed"))

    def _reach_out(self, output: McpCall, offer: Offer, now: float) -> None:
        """Make the call of an MCP tool, or have the client asked; out of band there is nobody to ask."""
        if offer.needs_approval and self._joins is not None:
            output.close("completed")
            self._mcp.ask(output.entry, offer, output.grown, output.place)
        else:
            output.hand_over()
            self._mcp.call(output.entry, offer, output.place, self._joins, now)

    def _new_call(self, call: Call, offer: Offer | None) -> FunctionCall | McpCall:
        ids = self._outbox.ids
        if offer is None:
            return FunctionCall(function_call(ids, call.name), self._outbox, self.id, self._joins)
        is_asked_first = offer.needs_approval and self._joins is not None
        item = mcp_item(ids, "mcp_approval_request" if is_asked_first else "mcp_call", offer)
        return McpCall(item, self._outbox, self.id, self._joins)

    @property
    def _joins(self) -> Conversation | None:
        return None if self.plan.is_out_of_band else self._conversation

    def _new_message(self, phase: str) -> TextMessage | SpokenMessage:
        item = message_item(self._outbox.ids)
        if self.plan.has_phases:
            item["phase"] = phase
        if self.plan.modality == "text":
            return TextMessage(item, self._outbox, self.id, self._joins)
        encoder = Encoder(self.plan.audio_format) if self._playout is None else None
        return SpokenMessage(item, self._outbox, self.id, self._joins, encoder)

    def _open(self, output: Output) -> None:
        self._outputs.append(output)
        output.open(len(self._outputs) - 1)

    def _grow(self, output: Output, delta: str, now: float) -> None:
        output.write(delta)
        self._spend(1, now)

    def _sound(self, message: SpokenMessage, chunk: Samples, now: float) -> None:
        message.sound(chunk)
        if self._playout is not None:
            self._playout.play(self.id, message.entry, chunk, now)
        self.speech_ends = max(now, self.speech_ends or now) + len(chunk) / RATE
        self._spend(assistant_audio_tokens(len(chunk) * 1000 // RATE), now)

    def _spend(self, n: int, now: float) -> None:
        self._spent += n
        limit = self.plan.max_output_tokens
        if limit != "inf" and self._spent >= limit:
            self._end("incomplete", {"type": "incomplete", "reason": "max_output_tokens"}, now)

    def _end(self, status: str, details: dict[str, Any] | None, now: float) -> None:
        if self._is_over:
            return
        self._is_over = True
        self._timeline.drop(self.id)
        if self._is_thinking:
            self._outbox.command(Stop(self.id))
        for output in self._outputs:
            if output.is_open:
                output.close("completed" if status == "completed" else "incomplete")
        self.usage = self._counted()
        self._outbox.event("response.done", response=self._shown(status, details))
        self._on_done(self, now)

    def _counted(self) -> dict[str, Any]:
        plan = self.plan
        tools = plan.choice.tools
        head = ((plan.instructions, json.dumps(tools)), count_head(plan.instructions, tools))
        prompt: Prompt = [head, *((entry.item["id"], count_item(entry)) for entry in self._context)]
        made = [(output.item["id"], count_item(output.entry)) for output in self._outputs]
        cached = self._cache.cached(prompt)
        self._cache.remember([*prompt, *made])
        return response_usage(_sum(prompt), cached, _sum(made), reasoning=plan.reasoning_tokens)

    def _shown(self, status: str, details: dict[str, Any] | None) -> dict[str, Any]:
        plan = self.plan
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": [copy.deepcopy(output.item) for output in self._outputs],
            "conversation_id": None if plan.is_out_of_band else self._conversation.id,
            "output_modalities": [plan.modality],
            "max_output_tokens": plan.max_output_tokens,
            "audio": {"output": {"format": plan.shown_format, "voice": plan.voice}},
            "usage": self.usage,
            "metadata": plan.metadata,
        }


def _sum(pieces: Prompt) -> Count:
    return sum((count for _, count in pieces), Count())
