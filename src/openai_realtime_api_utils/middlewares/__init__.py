"""Be the handlers that a voice application hooks; each thin, its thinking in ``state``.

A name is imported when it is first asked for, so that nobody pays for the middlewares that are not used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arbitrate_responses import POLICY, ArbitrateResponses
    from .ask import Ask
    from .audio_player import AUDIO, INTERRUPTED, SPEECH, AudioPlayer
    from .call_tools import CallTools
    from .give_client_event_id import GiveClientEventId
    from .interrupt import Interrupt
    from .interruptable import InterruptableAudioPlayer, interruptable_audio_player, interruptible_audio_player
    from .print_events import PrintEvents
    from .stream_mic import StreamMic
    from .track_config import TrackConfig
    from .track_conversation import ITEM, TrackConversation

__all__ = [
    "AUDIO",
    "INTERRUPTED",
    "ITEM",
    "POLICY",
    "SPEECH",
    "ArbitrateResponses",
    "Ask",
    "AudioPlayer",
    "CallTools",
    "GiveClientEventId",
    "Interrupt",
    "InterruptableAudioPlayer",
    "PrintEvents",
    "StreamMic",
    "TrackConfig",
    "TrackConversation",
    "interruptable_audio_player",
    "interruptible_audio_player",
]

_MODULES = {
    "AUDIO": "audio_player",
    "INTERRUPTED": "audio_player",
    "ITEM": "track_conversation",
    "POLICY": "arbitrate_responses",
    "SPEECH": "audio_player",
    "ArbitrateResponses": "arbitrate_responses",
    "Ask": "ask",
    "AudioPlayer": "audio_player",
    "CallTools": "call_tools",
    "GiveClientEventId": "give_client_event_id",
    "Interrupt": "interrupt",
    "InterruptableAudioPlayer": "interruptable",
    "PrintEvents": "print_events",
    "StreamMic": "stream_mic",
    "TrackConfig": "track_config",
    "TrackConversation": "track_conversation",
    "interruptable_audio_player": "interruptable",
    "interruptible_audio_player": "interruptable",
}
"""Name -> the module that defines it. A new name goes here, into ``__all__``, and above for the type checker."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
