"""Put an ``AudioPlayer`` and its ``Interrupt`` together."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from ..clock import Clock
from ..handlers import Metadata, ServerEventHandler, for_types, types_of
from ..ports import Send, Speaker, SpeechId
from ..state.playhead import Cut
from .audio_player import AudioPlayer
from .interrupt import Interrupt

if TYPE_CHECKING:
    from .track_config import TrackConfig
    from .track_conversation import TrackConversation


class InterruptableAudioPlayer(NamedTuple):
    """Be the two, unpacked or hooked as one middleware."""

    audio_player: AudioPlayer
    interrupt: Interrupt
    server_handlers: tuple[ServerEventHandler, ...]
    """Their handlers, in the order in which they are to be hooked."""
    register_send_with_handlers: Callable[[Send], None]

    @for_types(kind for one in (AudioPlayer, Interrupt) for kind in types_of(one.server_event_handler) or ())
    def server_event_handler(self, event: Any, metadata: Metadata, connection: Any) -> tuple[Any, Metadata]:
        event, metadata = self.audio_player.server_event_handler(event, metadata, connection)
        return self.interrupt.server_event_handler(event, metadata, connection)


@contextmanager
def interruptable_audio_player(
    track_config: TrackConfig,
    track_conversation: TrackConversation,
    speaker: Speaker,
    *,
    on_interrupt_handlers: Iterable[Callable[[list[Cut]], Any]] = (),
    prebuffer_ms: int = 60,
    on_speech_end: Iterable[Callable[[SpeechId], Any]] = (),
    min_interruption_ms: int = 0,
    confirm_ms: int = 600,
    clock: Clock | None = None,
) -> Generator[InterruptableAudioPlayer]:
    """Make a player that the user can interrupt; it falls silent at the end of the ``with`` block.

    The arguments are those of ``AudioPlayer`` and ``Interrupt``.
    """
    player = AudioPlayer(speaker, prebuffer_ms=prebuffer_ms, on_speech_end=on_speech_end, clock=clock)
    interrupt = Interrupt(
        track_config,
        track_conversation,
        player,
        on_interrupt_handlers=on_interrupt_handlers,
        min_interruption_ms=min_interruption_ms,
        confirm_ms=confirm_ms,
        clock=clock,
    )

    def register_send_with_handlers(send: Send) -> None:
        player.register_send_with_handlers(send)
        interrupt.register_send_with_handlers(send)

    handlers: tuple[ServerEventHandler, ...] = (player.server_event_handler, interrupt.server_event_handler)
    try:
        yield InterruptableAudioPlayer(player, interrupt, handlers, register_send_with_handlers)
    finally:
        player.cut()


interruptible_audio_player = interruptable_audio_player
