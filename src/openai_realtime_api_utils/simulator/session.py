"""Be the service for one conversation, without a connection: events in, events and commands out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .base_session import MAIN, BaseSession, Handler, required
from .checks import whole_number
from .commands import Finished, Overheard, Result, Thought, Understood
from .config import default_session, unseen, updated
from .conversation import Conversation, Entry
from .hearing import Hearing
from .idle import IdleTimeout
from .ids import Ids
from .items import appended_audio, checked_item
from .mcp import Mcp
from .mcp_tools import Servers, shown
from .playout import Playout
from .refusals import Refusal
from .responses import Responses
from .settings import Settings
from .speech_input import SpeechInput
from .vad import Vad, WebRtcVad

if TYPE_CHECKING:
    from ..ports import Samples

_KEYS = "0123456789*#ABCD"
"""What a telephone can send (API reference)."""


class Session(BaseSession):
    """Hold a whole simulated conversation. Nothing here waits, reads a clock or knows of sockets."""

    def __init__(
        self,
        *,
        now: float,
        created_at: int,
        settings: Settings | None = None,
        model: str | None = None,
        given: dict[str, Any] | None = None,
        call_id: str | None = None,
        ids: Ids | None = None,
        vad: Callable[[], Vad] = WebRtcVad,
    ) -> None:
        """Begin a session; its ``session.created`` waits to be polled.

        Args:
            now: the time, in seconds of the clock that all later calls go by.
            created_at: the time in seconds since 1970, which ``expires_at`` is counted from.
            settings: how the service behaves.
            model: the model that the connection asked for.
            given: what differs from the defaults from the start, as in a ``session.update``; comes with a key.
            call_id: the call whose session this is. Its sound comes by ``hear`` and goes by the command ``Play``, and
                several connections may be attached to it, each a view with a number; ``session.created`` is for
                the view ``MAIN``, if there is one.
            ids: where ids come from.
            vad: makes what judges the user's sound, when turn detection first needs it.

        Raises:
            Refusal: ``given`` is refused.
        """
        super().__init__(now=now, settings=settings, ids=ids, call_id=call_id)
        self._since_1970 = created_at - now
        self.conversation = Conversation(self._outbox, keep_audio_s=self.settings.keep_audio_s)
        """The service's own record of the conversation."""
        self.config = default_session(
            model or self.settings.model,
            session_id=self._outbox.ids.new("sess"),
            expires_at=created_at + int(self.settings.lifetime_s),
        )
        self._has_no_model = model is None
        self._unseen: dict[str, Any] = {}
        """What is configured and not shown."""
        self._mcp = Mcp(
            self.settings.mcp_servers,
            conversation=self.conversation,
            outbox=self._outbox,
            timeline=self._timeline,
        )
        servers: Servers = {} if given is None else self._configure(given)
        self._hearing = Hearing(self._outbox, self._timeline)
        self._hearing.include = self.config["include"]
        self._playout = None if call_id is None else Playout(self._outbox, self._timeline, self.conversation)
        self._responses = Responses(
            self.settings,
            conversation=self.conversation,
            outbox=self._outbox,
            timeline=self._timeline,
            playout=self._playout,
            mcp=self._mcp,
            now=now,
            listen_to=self._listen_to,
        )
        self._input = SpeechInput(
            self.config["audio"]["input"],
            vad=vad,
            conversation=self.conversation,
            hearing=self._hearing,
            outbox=self._outbox,
            on_speech=self._on_speech,
            on_turn=self._on_turn,
        )
        self._idle = IdleTimeout(
            self._outbox, self.conversation, self._input, self._responses, on_timeout=self._on_turn
        )
        handlers: dict[str, Handler] = {
            "session.update": self._update_session,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": lambda _event, _now: self._input.commit(),
            "input_audio_buffer.clear": lambda _event, _now: self._input.clear(),
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.truncate": self._truncate_item,
            "conversation.item.delete": self._delete_item,
            "response.create": self._create_response,
            "response.cancel": self._cancel_response,
        }
        if self._playout is not None:
            handlers["output_audio_buffer.clear"] = self._clear_output
        self.handlers = handlers
        self._tell(MAIN, "session.created", session=self.config)
        self._mcp.use(servers, now)

    def feed(self, result: Result, now: float) -> None:
        """Take what an engine has come to."""
        self.advance(now)
        match result:
            case Overheard():
                self._hearing.overheard(result.item_id, result.text)
            case Understood():
                self._hearing.understood(result.item_id, result.transcript, now)
                self._responses.go_on()
            case Thought():
                self._responses.take(result, now)
            case Finished():
                self._responses.finish(result.response_id, now)

    def busy_until(self, response_id: str) -> float | None:
        """Return when all that a response was given will be out, so that an engine need not run far ahead."""
        return self._responses.busy_until(response_id)

    def hear(self, samples: Samples, now: float) -> None:
        """Take sound of the caller's that came by the call's own way: int16, mono, at ``engine.RATE``."""
        self.advance(now)
        self._input.hear(samples, now)
        self._idle.check(self._detection, now)

    def dial(self, key: str, now: float) -> None:
        """Take a key that the caller pressed on a telephone; the event has no id (API reference).

        Raises:
            ValueError: no telephone has it.
        """
        if len(key) != 1 or key not in _KEYS:
            raise ValueError(f"{key!r} is no key of a telephone: press one of {_KEYS}.")
        self._outbox.bare(
            {
                "type": "input_audio_buffer.dtmf_event_received",
                "event": key,
                "received_at": int(self._since_1970 + now),
            }
        )

    def _configure(self, update: Any, *, voice_is_locked: bool = False, is_responding: bool = False) -> Servers:
        """Take an update over; return the MCP servers that are named in it.

        Raises:
            Refusal: it is refused.
        """
        config = updated(
            self.config,
            update,
            voice_is_locked=voice_is_locked,
            is_responding=is_responding,
            may_name_model=self._has_no_model,
        )
        servers = self._mcp.check(config["tools"])
        config["tools"] = shown(config["tools"])
        self.config = config
        self._has_no_model &= "model" not in update
        self._unseen |= unseen(update)
        return servers

    def _update_session(self, event: dict[str, Any], now: float) -> None:
        servers = self._configure(
            required(event, "session"),
            voice_is_locked=self.conversation.has_assistant_audio,
            is_responding=self._responses.active is not None,
        )
        self._hearing.include = self.config["include"]
        self._input.configure(self.config["audio"]["input"])
        self._outbox.event("session.updated", session=self.config)
        self._mcp.use(servers, now)

    def _append(self, event: dict[str, Any], now: float) -> None:
        self._input.append(appended_audio(event), now)
        self._idle.check(self._detection, now)

    def _create_item(self, event: dict[str, Any], now: float) -> None:
        item = checked_item(required(event, "item"), "item")
        if item["type"] == "function_call_output" and not self.conversation.has_call(item["call_id"]):
            raise Refusal("Tool call ID not found in conversation", code="invalid_tool_call_id")
        if item["type"] == "mcp_approval_response":
            self._mcp.check_answer(item)
        at = self.conversation.place(event.get("previous_item_id"))
        entry = self._responses.new_entry(item)
        self.conversation.add(entry, at)
        if item["type"] == "mcp_approval_response":
            self._mcp.answer(item, now)

    def _delete_item(self, event: dict[str, Any], now: float) -> None:
        entry = self.conversation.delete(required(event, "item_id"))
        if not entry.is_heard:
            self._hearing.forget(entry.item["id"])
            self._responses.go_on()

    def _retrieve_item(self, event: dict[str, Any], now: float) -> None:
        self.conversation.retrieve(required(event, "item_id"))

    def _truncate_item(self, event: dict[str, Any], now: float) -> None:
        index = whole_number(0, 1 << 31)(required(event, "content_index"), "content_index")
        end_ms = whole_number(0, 1 << 31)(required(event, "audio_end_ms"), "audio_end_ms")
        self.conversation.truncate(required(event, "item_id"), index, end_ms)

    def _create_response(self, event: dict[str, Any], now: float) -> None:
        self._responses.create(self.config, self._unseen, event.get("response"), now)

    def _cancel_response(self, event: dict[str, Any], now: float) -> None:
        self._responses.cancel(event.get("response_id"), "client_cancelled", now)

    def _clear_output(self, event: dict[str, Any], now: float) -> None:
        if self._playout is not None:
            self._playout.clear(now)

    def _listen_to(self, entry: Entry) -> None:
        """Have the sound of an item understood that came whole."""
        item_id: str = entry.item["id"]
        self._hearing.listen(item_id, None)
        if entry.samples is not None:
            self._hearing.hear(item_id, entry.samples)
        self._hearing.understand(entry)

    @property
    def _detection(self) -> dict[str, Any]:
        return self.config["audio"]["input"]["turn_detection"] or {}

    def _on_speech(self, now: float) -> None:
        if not self._detection.get("interrupt_response"):
            return
        if self._responses.active is not None:
            self._responses.cancel(None, "turn_detected", now)
        if self._playout is not None:
            self._playout.clear(now)

    def _on_turn(self, now: float) -> None:
        if not self._detection.get("create_response"):
            return
        try:
            self._responses.create(self.config, self._unseen, None, now)
        except Refusal as error:
            self._refuse(error, None)  # another response goes on, since this session does not interrupt
