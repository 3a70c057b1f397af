"""Be the handlers that a voice application hooks; each thin, its thinking in ``state``.

A name is imported when it is first asked for, so that nobody pays for the middlewares that are not used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .give_client_event_id import GiveClientEventId
    from .print_events import PrintEvents
    from .track_config import TrackConfig
    from .track_conversation import ITEM, TrackConversation

__all__ = [
    "ITEM",
    "GiveClientEventId",
    "PrintEvents",
    "TrackConfig",
    "TrackConversation",
]

_MODULES = {
    "ITEM": "track_conversation",
    "GiveClientEventId": "give_client_event_id",
    "PrintEvents": "print_events",
    "TrackConfig": "track_config",
    "TrackConversation": "track_conversation",
}
"""Name -> the module that defines it. A new name goes here, into ``__all__``, and above for the type checker."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
