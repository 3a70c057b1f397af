"""Silence the assistant when the user speaks, and tell the server what was heard."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..clock import Clock, SystemClock
from ..errors import ConnectionLost
from ..handlers import HANDLED, Metadata, by_type
from ..ports import Send, SpeechId
from ..state.interruption import Interruption, patience_ms
from ..state.playhead import Cut
from ..state.reading import read, read_id, read_text
from .audio_player import INTERRUPTED, SPEECH, AudioPlayer
from .registered_send import registered

if TYPE_CHECKING:
    from .track_config import TrackConfig
    from .track_conversation import TrackConversation


@dataclass(eq=False)
class _Hold:
    """Be talk that is not an interruption yet."""

    by_server: bool


class Interrupt:
    """Stop the assistant's speech on ``speech_started``, or when told that the user talks.

    The sound stops before the handler returns. Hook it after the ``AudioPlayer``, and both after ``TrackConfig`` and
    ``TrackConversation``. What the server must be told is decided in ``state.interruption``.
    """

    def __init__(
        self,
        track_config: TrackConfig,
        track_conversation: TrackConversation,
        audio_player: AudioPlayer,
        *,
        on_interrupt_handlers: Iterable[Callable[[list[Cut]], Any]] = (),
        min_interruption_ms: int = 0,
        confirm_ms: int = 600,
        clock: Clock | None = None,
    ) -> None:
        """Make an interrupter.

        Args:
            track_config: tells whether the server detects turns and cancels by itself.
            track_conversation: tells which responses are open, and which are out of band.
            audio_player: is silenced.
            on_interrupt_handlers: called, sync or async, with how far each speech that was cut had been heard; an
                empty list where a response was ended that had not begun to speak.
            min_interruption_ms: how long talk must last to interrupt; until then speech is held. It does not apply
                where the server cancels its response by itself, because then there is nothing to go on with.
            confirm_ms: how long local talk must last to interrupt although the server, which detects turns, hears none.
            clock: the machine's own by default.
        """
        self._config = track_config
        self._conversation = track_conversation
        self._player = audio_player
        self._on_interrupt = tuple(on_interrupt_handlers)
        self._min_ms = min_interruption_ms
        self._confirm_ms = confirm_ms
        self._clock = clock or SystemClock()
        self._state = Interruption()
        self._send: Send | None = None
        self._is_user_talking = False
        self._hold: _Hold | None = None

    @property
    def margin_ms(self) -> int:
        """How much shorter than what was received the server's record of speech has been found to be."""
        return self._state.margin_ms

    def register_send_with_handlers(self, send: Send) -> None:
        """Take the ``send`` of ``hook_handlers``."""
        self._send = send.by("Interrupt")

    def set_is_user_talking(self, is_talking: bool, /) -> None:
        """Tell that the user began or ceased to talk, by a local detector or a key. Call it on the event loop.

        Where the server detects turns, this only holds the speech: the server's own event, or ``confirm_ms`` of talk,
        makes it an interruption; else speech goes on at the very sample. Where it does not, talk interrupts, and so it
        does any speech that begins while it lasts.
        """
        if is_talking == self._is_user_talking:
            return
        self._is_user_talking = is_talking
        if is_talking:
            self._talk_began(by_server=False)
        else:
            self._talk_ended(by_server=False)

    def interrupt(self) -> None:
        """Interrupt now, whoever talks: for a button, or a program that knows better."""
        self._confirm(server_cancels=False)

    def _talk_began(self, *, by_server: bool) -> None:
        interrupts_by_itself = self._config.interrupts_by_itself
        wait_ms = patience_ms(
            by_server=by_server,
            interrupts_by_itself=interrupts_by_itself,
            detects_turns=by_server or self._config.turn_detection is not None,
            min_interruption_ms=self._min_ms,
            confirm_ms=self._confirm_ms,
        )
        if wait_ms <= 0:
            self._confirm(server_cancels=by_server and interrupts_by_itself)
            return
        self._hold = hold = _Hold(by_server)
        self._player.hold()
        registered(self._send, "Interrupt").spawn(self._confirm_after(wait_ms, hold), name="confirm")

    async def _confirm_after(self, wait_ms: int, hold: _Hold) -> None:
        await self._clock.sleep_until(self._clock.now() + wait_ms / 1000)
        if self._hold is hold:
            self._confirm(server_cancels=False)

    def _talk_ended(self, *, by_server: bool) -> None:
        if self._hold is not None and self._hold.by_server == by_server:
            self._hold = None
            self._player.go_on()

    def _confirm(self, *, server_cancels: bool) -> None:
        self._hold = None
        open_responses = {r.id: r.is_out_of_band for r in self._conversation.open_responses.values()}
        cuts = self._player.cut(response_id for response_id, is_apart in open_responses.items() if not is_apart)
        for cut in cuts:
            self._conversation.set_heard_text(cut.speech_id.item_id, self._player.heard_text(cut.speech_id.item_id))
        decision = self._state.interrupt(
            cuts,
            open_responses=open_responses,
            out_of_band=[cut.speech_id for cut in cuts if self._is_out_of_band(cut.speech_id, cut.response_id)],
            server_cancels=server_cancels,
        )
        self._send_soon(decision.events)
        if decision.is_interruption:
            for handler in self._on_interrupt:
                result = handler(cuts)
                if inspect.isawaitable(result):
                    registered(self._send, "Interrupt").spawn(_wait_for(result), name="on_interrupt_handlers")

    def _is_out_of_band(self, speech_id: SpeechId, response_id: str | None) -> bool:
        response = self._conversation.open_responses.get(response_id or "")
        known = response or self._conversation.item(speech_id.item_id)
        return known is not None and known.is_out_of_band

    def _delta(self, event: Any, metadata: Metadata) -> None:
        if metadata.get(INTERRUPTED):
            speech_id, response_id = SPEECH.get(metadata), read_id(event, "response_id")
            if speech_id is not None and not self._is_out_of_band(speech_id, response_id):
                self._send_soon(self._state.came_late(speech_id, response_id))
        elif (
            self._is_user_talking and self._hold is None and SPEECH in metadata and self._config.turn_detection is None
        ):
            self._confirm(server_cancels=False)

    def _response_done(self, event: Any, _metadata: Metadata) -> None:
        response_id = read_id(read(event, "response"), "id")
        if response_id is not None:
            self._send_soon(
                self._state.response_done(response_id, open_responses=self._conversation.open_responses.keys())
            )

    def _error(self, event: Any, metadata: Metadata) -> None:
        error = read(event, "error")
        event_id = read_id(error, "event_id")
        if event_id is None:
            return
        refusal = self._state.refused(
            event_id,
            code=read_text(error, "code"),
            message=read_text(error, "message") or "",
            open_responses=self._conversation.open_responses.keys(),
        )
        if refusal.is_handled:
            HANDLED.put(metadata, True)
        self._send_soon(refusal.events)

    def _sideband(self, _event: Any, _metadata: Metadata) -> None:
        self._state.is_sideband = True

    def _user_began(self, _event: Any, _metadata: Metadata) -> None:
        self._talk_began(by_server=True)

    def _user_ended(self, _event: Any, _metadata: Metadata) -> None:
        self._talk_ended(by_server=True)

    def _send_soon(self, events: list[dict[str, Any]]) -> None:
        if events:
            registered(self._send, "Interrupt").spawn(self._send_in_order(events), name="tell the server")

    async def _send_in_order(self, events: list[dict[str, Any]]) -> None:
        send = registered(self._send, "Interrupt")
        try:
            for event in events:
                await send(event)
        except ConnectionLost:
            return  # keep_receiving tells it; there is nobody left to be told what was heard

    server_event_handler = by_type(
        {
            "input_audio_buffer.speech_started": _user_began,
            "input_audio_buffer.speech_stopped": _user_ended,
            "response.output_audio.delta": _delta,
            "response.output_audio_transcript.delta": _delta,
            "response.done": _response_done,
            "error": _error,
            "local.session_replaced": _user_ended,
            "output_audio_buffer.started": _sideband,
            "output_audio_buffer.stopped": _sideband,
            "output_audio_buffer.cleared": _sideband,
        }
    )


async def _wait_for(result: Any) -> None:
    await result
