"""Be the service for one connection, without a connection: events in, events and commands out, time as an argument.

Call ``receive_text`` for each frame of the client's, ``feed`` for each result of the engine's, and ``advance`` when
``deadline`` has come; after each of them, take what is to be sent and done with ``poll``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar, cast

from .checks import text, too_long, whole_number
from .commands import Close, Command, Finished, Overheard, Result, Thought, Understood
from .config import default_session, updated
from .conversation import Conversation, Entry
from .faults import Fault, missing, unsupported
from .hearing import Hearing
from .idle import IdleTimeout
from .ids import Ids
from .items import checked_item, decoded_audio
from .outbox import Outbox, Timeline
from .responses import Responses
from .settings import Settings
from .speech_input import SpeechInput
from .vad import Vad, WebRtcVad

_APPEND_LIMIT = 15 * 1024 * 1024
"""Bytes of sound in one append (API reference)."""
_EXPIRED = "Your session hit the maximum duration of 60 minutes."


class Session:
    """Hold a whole simulated session. Nothing here waits, reads a clock or knows of sockets.

    The same calls with the same arguments give the same events, ids included.
    """

    def __init__(
        self,
        *,
        now: float,
        created_at: int,
        settings: Settings | None = None,
        model: str | None = None,
        given: dict[str, Any] | None = None,
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
            ids: where ids come from.
            vad: makes what judges the user's sound, when turn detection first needs it.
        """
        self.settings = settings or Settings()
        self._outbox = Outbox(ids or Ids(self.settings.seed))
        self._timeline = Timeline()
        self.conversation = Conversation(self._outbox, keep_audio_s=self.settings.keep_audio_s)
        """The service's own record of the conversation."""
        self.config = default_session(
            model or self.settings.model,
            session_id=self._outbox.ids.new("sess"),
            expires_at=created_at + int(self.settings.lifetime_s),
        )
        """The effective configuration, as ``session.updated`` shows it."""
        if given is not None:
            self.config = updated(self.config, given, voice_is_locked=False)
        self._hearing = Hearing(self._outbox, self._timeline)
        self._responses = Responses(
            self.settings,
            conversation=self.conversation,
            outbox=self._outbox,
            timeline=self._timeline,
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
        self._timeline.at(now + self.settings.lifetime_s, "", self._expire)
        self._outbox.event("session.created", session=self.config)

    def receive_text(self, frame: str | bytes, now: float) -> None:
        """Take a frame as it came: text, or bytes if it was a binary one, which the service does not take."""
        if isinstance(frame, bytes):
            self._refuse(Fault("Binary frames are not supported: send events as text.", code="invalid_event"), None)
            return
        try:
            event: Any = json.loads(frame)
        except (ValueError, RecursionError):
            self._refuse(Fault("The frame is not valid JSON: send one JSON object.", code="invalid_event"), None)
            return
        self.receive(event, now)

    def receive(self, event: Any, now: float) -> None:
        """Take a client event. What is wrong with it is answered with an ``error`` event, never raised."""
        self.advance(now)
        event_id = cast("dict[str, Any]", event).get("event_id") if isinstance(event, dict) else None
        try:
            self._receive(event, now)
        except Fault as fault:
            refusal = fault  # the name of an exception does not outlive its clause
            self._timeline.at(now + fault.after_s, "", lambda _: self._refuse(refusal, event_id))
            self.advance(now)

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

    def advance(self, now: float) -> None:
        """Do what has become due."""
        self._timeline.advance(now)

    def deadline(self) -> float | None:
        """Return when ``advance`` is to be called next."""
        return self._timeline.next()

    def poll(self) -> list[dict[str, Any] | Command]:
        """Return the events to send and the commands to carry out, in order."""
        return self._outbox.take()

    def busy_until(self, response_id: str) -> float | None:
        """Return when all that a response was given will be out, so that an engine need not run far ahead."""
        return self._responses.busy_until(response_id)

    def _receive(self, event: Any, now: float) -> None:
        if not isinstance(event, dict):
            raise Fault("The event is not a JSON object: send one.", code="invalid_event")
        given = cast("dict[str, Any]", event)
        kind = given.get("type")
        if kind is None:
            raise Fault("The 'type' field is missing.", code="invalid_event")
        handler = self._HANDLERS.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise unsupported("type", kind, tuple(self._HANDLERS))
        handler(self, given, now)

    def _refuse(self, fault: Fault, event_id: object) -> None:
        self._outbox.event("error", error=fault.as_error(event_id))

    def _expire(self, now: float) -> None:
        self._refuse(Fault(_EXPIRED, code="session_expired"), None)
        self._outbox.command(Close(1001, _EXPIRED))

    def _update_session(self, event: dict[str, Any], now: float) -> None:
        self.config = updated(
            self.config,
            _required(event, "session"),
            voice_is_locked=self.conversation.has_assistant_audio,
        )
        self._input.configure(self.config["audio"]["input"])
        self._outbox.event("session.updated", session=self.config)

    def _append(self, event: dict[str, Any], now: float) -> None:
        audio = text(_required(event, "audio"), "audio")
        limit = _APPEND_LIMIT // 3 * 4
        if len(audio) > limit:
            raise too_long("audio", len(audio), limit)
        self._input.append(decoded_audio(audio, "audio"), now)
        self._idle.check(self._detection, now)

    def _commit(self, event: dict[str, Any], now: float) -> None:
        self._input.commit()

    def _clear(self, event: dict[str, Any], now: float) -> None:
        self._input.clear()

    def _create_item(self, event: dict[str, Any], now: float) -> None:
        item = checked_item(_required(event, "item"), "item")
        if item["type"] == "function_call_output" and not self.conversation.has_call(item["call_id"]):
            raise Fault("Tool call ID not found in conversation", code="invalid_tool_call_id")
        at = self.conversation.place(event.get("previous_item_id"))
        entry = self._responses.new_entry(item)
        self.conversation.add(entry, at)

    def _delete_item(self, event: dict[str, Any], now: float) -> None:
        entry = self.conversation.delete(_required(event, "item_id"))
        if not entry.is_heard:
            self._hearing.forget(entry.item["id"])
            self._responses.go_on()

    def _retrieve_item(self, event: dict[str, Any], now: float) -> None:
        self.conversation.retrieve(_required(event, "item_id"))

    def _truncate_item(self, event: dict[str, Any], now: float) -> None:
        index = whole_number(0, 1 << 31)(_required(event, "content_index"), "content_index")
        end_ms = whole_number(0, 1 << 31)(_required(event, "audio_end_ms"), "audio_end_ms")
        self.conversation.truncate(_required(event, "item_id"), index, end_ms)

    def _create_response(self, event: dict[str, Any], now: float) -> None:
        self._responses.create(self.config, event.get("response"), now)

    def _cancel_response(self, event: dict[str, Any], now: float) -> None:
        self._responses.cancel(event.get("response_id"), "client_cancelled")

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

    def _on_speech(self) -> None:
        if self._detection.get("interrupt_response") and self._responses.active is not None:
            self._responses.cancel(None, "turn_detected")

    def _on_turn(self, now: float) -> None:
        if not self._detection.get("create_response"):
            return
        try:
            self._responses.create(self.config, None, now)
        except Fault as fault:
            self._refuse(fault, None)  # another response goes on, since this session does not interrupt

    _HANDLERS: ClassVar[dict[str, Callable[[Session, dict[str, Any], float], None]]] = {
        "session.update": _update_session,
        "input_audio_buffer.append": _append,
        "input_audio_buffer.commit": _commit,
        "input_audio_buffer.clear": _clear,
        "conversation.item.create": _create_item,
        "conversation.item.retrieve": _retrieve_item,
        "conversation.item.truncate": _truncate_item,
        "conversation.item.delete": _delete_item,
        "response.create": _create_response,
        "response.cancel": _cancel_response,
    }
    """What each client event does."""


def _required(event: dict[str, Any], name: str) -> Any:
    if name not in event:
        raise missing(name)
    return event[name]
