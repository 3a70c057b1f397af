"""Be a Realtime server: good enough to build and test against, with no key and no network."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import MissingExtraError

if TYPE_CHECKING:
    from . import questions
    from .engine import Call, Engine, Fail, Listening, Say, Thought, Turn
    from .fault_injection import Faults
    from .local import ChatEndpoint, LocalEngine
    from .mcp_server import McpFailure, McpServer, McpTool
    from .memory import connect, connect_translation
    from .phone_call import PhoneCall
    from .scenario import Dialogue
    from .scenario_file import Scenario, load_scenario
    from .scripted import ScriptedEngine, Wait
    from .session import Session
    from .settings import Settings
    from .synthetic import synthetic_speech
    from .vad import Vad, WebRtcVad
    from .websocket import Server, serve

_NAMES = {
    "Call": "engine",
    "Engine": "engine",
    "Fail": "engine",
    "Faults": "fault_injection",
    "Listening": "engine",
    "Say": "engine",
    "Thought": "engine",
    "Turn": "engine",
    "ChatEndpoint": "local",
    "LocalEngine": "local",
    "McpFailure": "mcp_server",
    "McpServer": "mcp_server",
    "McpTool": "mcp_server",
    "connect": "memory",
    "connect_translation": "memory",
    "PhoneCall": "phone_call",
    "Dialogue": "scenario",
    "Scenario": "scenario_file",
    "load_scenario": "scenario_file",
    "ScriptedEngine": "scripted",
    "Wait": "scripted",
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
    "Dialogue",
    "Engine",
    "Fail",
    "Faults",
    "Listening",
    "LocalEngine",
    "McpFailure",
    "McpServer",
    "McpTool",
    "PhoneCall",
    "Scenario",
    "ScriptedEngine",
    "Say",
    "Server",
    "Session",
    "Settings",
    "Thought",
    "Turn",
    "Vad",
    "Wait",
    "WebRtcVad",
    "connect",
    "connect_translation",
    "load_scenario",
    "questions",
    "serve",
    "synthetic_speech",
]


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for."""
    if name == "questions":
        return importlib.import_module(".questions", __name__)
    module = _NAMES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f".{module}", __name__), name)
    except ImportError as missing:
        return _missing(name, missing)


def _missing(name: str, missing: ImportError) -> Callable[..., Any]:
    """Stand in for a name whose extra is not installed: it can be imported, and says what it lacks when it is used."""

    def build(*_args: object, **_options: object) -> Any:
        raise MissingExtraError(name, missing.name or str(missing), "local") from missing

    return build


def __dir__() -> list[str]:
    return __all__
