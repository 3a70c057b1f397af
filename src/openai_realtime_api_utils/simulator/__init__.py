"""Be a Realtime server: good enough to build and test against, with no key and no network."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ..errors import require

if TYPE_CHECKING:
    from . import questions
    from .engine import Call, Engine, Fail, Listening, Say, Thought, Turn
    from .local import ChatEndpoint, LocalEngine
    from .memory import connect
    from .scripted import ScriptedEngine
    from .session import Session
    from .settings import Settings
    from .synthetic import synthetic_speech
    from .vad import Vad, WebRtcVad
    from .websocket import Server, serve

_NAMES = {
    "Call": "engine",
    "Engine": "engine",
    "Fail": "engine",
    "Listening": "engine",
    "Say": "engine",
    "Thought": "engine",
    "Turn": "engine",
    "ChatEndpoint": "local",
    "LocalEngine": "local",
    "connect": "memory",
    "ScriptedEngine": "scripted",
    "Session": "session",
    "Settings": "settings",
    "synthetic_speech": "synthetic",
    "Vad": "vad",
    "WebRtcVad": "vad",
    "Server": "websocket",
    "serve": "websocket",
}

__all__ = [
    "Call",
    "ChatEndpoint",
    "Engine",
    "Fail",
    "Listening",
    "LocalEngine",
    "ScriptedEngine",
    "Server",
    "Session",
    "Say",
    "Settings",
    "Thought",
    "Turn",
    "Vad",
    "WebRtcVad",
    "connect",
    "questions",
    "serve",
    "synthetic_speech",
]


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for: numpy and the rest are optional."""
    if name == "questions":
        return importlib.import_module(".questions", __name__)
    module = _NAMES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if module not in ("engine", "settings"):
        require("numpy", extra="local", needed_by="The simulator")
    return getattr(importlib.import_module(f".{module}", __name__), name)


def __dir__() -> list[str]:
    return __all__
