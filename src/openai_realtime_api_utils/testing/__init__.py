"""Test voice applications with no key, no network and no sound card: see the pytest fixture ``realtime``."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bench import Realtime
    from .called import Called
    from .server import RealtimeServer

__all__ = ["Called", "Realtime", "RealtimeServer"]

_HOMES = {"Called": "called", "Realtime": "bench", "RealtimeServer": "server"}


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for: most tests of whoever has this installed need none of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
