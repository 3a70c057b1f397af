"""Middlewares for voice applications on OpenAI's Realtime API, over your own connection.

Everything named here is public; modules whose names are not here may change. A name is imported when it is first used,
so that nothing is loaded which a program does not need.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import middlewares as middlewares
    from . import simulator as simulator
    from .audio.echo import Aec3 as Aec3
    from .audio.echo import EchoCanceller as EchoCanceller
    from .audio.formats import PCM_24K as PCM_24K
    from .audio.formats import PCMA as PCMA
    from .audio.formats import PCMU as PCMU
    from .audio.formats import AudioFormat as AudioFormat
    from .builders import say as say
    from .builders import seed_conversation as seed_conversation
    from .builders import user_audio as user_audio
    from .builders import user_image as user_image
    from .builders import user_text as user_text
    from .clock import Clock as Clock
    from .clock import ManualClock as ManualClock
    from .clock import SystemClock as SystemClock
    from .errors import AudioError as AudioError
    from .errors import ConnectionLost as ConnectionLost
    from .errors import DeviceError as DeviceError
    from .errors import FormatError as FormatError
    from .errors import HandlerError as HandlerError
    from .errors import LocalProtocolError as LocalProtocolError
    from .errors import MissingExtraError as MissingExtraError
    from .errors import ProtocolError as ProtocolError
    from .errors import RealtimeUtilsError as RealtimeUtilsError
    from .errors import RefusedError as RefusedError
    from .errors import RemoteProtocolError as RemoteProtocolError
    from .errors import ResumeError as ResumeError
    from .errors import SimulatorError as SimulatorError
    from .errors import ToolError as ToolError
    from .events import UnknownEvent as UnknownEvent
    from .events import decode as decode
    from .events import encode as encode
    from .events import redact as redact
    from .fast_connection import fast_connect as fast_connect
    from .handlers import HANDLED as HANDLED
    from .handlers import RECEIVED_AT as RECEIVED_AT
    from .handlers import SENT_BY as SENT_BY
    from .handlers import ClientEventHandler as ClientEventHandler
    from .handlers import Metadata as Metadata
    from .handlers import MetadataKey as MetadataKey
    from .handlers import Middleware as Middleware
    from .handlers import ServerEventHandler as ServerEventHandler
    from .handlers import for_types as for_types
    from .hooked_session import HookedSession as HookedSession
    from .hooked_session import hook_middlewares as hook_middlewares
    from .hooks import Hooked as Hooked
    from .hooks import HookedSend as HookedSend
    from .hooks import hook_handlers as hook_handlers
    from .host.clean_microphone import cancel_echo as cancel_echo
    from .host.clean_microphone import half_duplex as half_duplex
    from .host.devices import Device as Device
    from .host.devices_apart import list_devices as list_devices
    from .host.host_audio import host_audio as host_audio
    from .host.memory import MemoryMicrophone as MemoryMicrophone
    from .host.memory import MemorySpeaker as MemorySpeaker
    from .host.room import Room as Room
    from .host.wav import WavMicrophone as WavMicrophone
    from .host.wav import WavSpeaker as WavSpeaker
    from .middlewares import ArbitrateResponses as ArbitrateResponses
    from .middlewares import Ask as Ask
    from .middlewares import AudioPlayer as AudioPlayer
    from .middlewares import CallTools as CallTools
    from .middlewares import GiveClientEventId as GiveClientEventId
    from .middlewares import Interrupt as Interrupt
    from .middlewares import PrintEvents as PrintEvents
    from .middlewares import StreamMic as StreamMic
    from .middlewares import TrackConfig as TrackConfig
    from .middlewares import TrackConversation as TrackConversation
    from .middlewares import interruptable_audio_player as interruptable_audio_player
    from .middlewares import interruptible_audio_player as interruptible_audio_player
    from .ports import Connection as Connection
    from .ports import Frame as Frame
    from .ports import Heard as Heard
    from .ports import Microphone as Microphone
    from .ports import Playback as Playback
    from .ports import Send as Send
    from .ports import Speaker as Speaker
    from .ports import SpeechId as SpeechId
    from .resume.entry import resume as resume
    from .resume.file_store import FileStore as FileStore
    from .resume.memory_store import MemoryStore as MemoryStore
    from .resume.redis_store import RedisStore as RedisStore
    from .state.answer import Answer as Answer
    from .state.microphone_gap import keep_last as keep_last
    from .tools.context import ToolContext as ToolContext
    from .tools.mcp_server import McpServer as McpServer
    from .tools.mcp_server import mcp_server as mcp_server
    from .tools.runner import ApprovalRequest as ApprovalRequest
    from .tools.runner import CallRecord as CallRecord
    from .tools.runner import Decision as Decision
    from .tools.tool import Tool as Tool
    from .tools.tool import tool as tool

_HOMES = {
    "middlewares": ("ArbitrateResponses", "Ask", "AudioPlayer", "CallTools", "GiveClientEventId", "Interrupt",
                    "PrintEvents", "StreamMic", "TrackConfig", "TrackConversation", "interruptable_audio_player",
                    "interruptible_audio_player"),
    "hooks": ("Hooked", "HookedSend", "hook_handlers"),
    "fast_connection": ("fast_connect",),
    "hooked_session": ("HookedSession", "hook_middlewares"),
    "audio.echo": ("Aec3", "EchoCanceller"),
    "host.clean_microphone": ("cancel_echo", "half_duplex"),
    "host.devices": ("Device",),
    "host.devices_apart": ("list_devices",),
    "host.host_audio": ("host_audio",),
    "host.memory": ("MemoryMicrophone", "MemorySpeaker"),
    "host.room": ("Room",),
    "host.wav": ("WavMicrophone", "WavSpeaker"),
    "handlers": ("HANDLED", "RECEIVED_AT", "SENT_BY", "ClientEventHandler", "Metadata", "MetadataKey", "Middleware",
                 "ServerEventHandler", "for_types"),
    "ports": ("Connection", "Frame", "Heard", "Microphone", "Playback", "Send", "Speaker", "SpeechId"),
    "resume": ("FileStore", "MemoryStore", "RedisStore", "keep_last", "resume"),
    "clock": ("Clock", "ManualClock", "SystemClock"),
    "events": ("UnknownEvent", "decode", "encode", "redact"),
    "audio.formats": ("PCMA", "PCMU", "PCM_24K", "AudioFormat"),
    "tools.tool": ("Tool", "tool"),
    "tools.context": ("ToolContext",),
    "tools.runner": ("ApprovalRequest", "CallRecord", "Decision"),
    "state.answer": ("Answer",),
    "builders": ("say", "seed_conversation", "user_audio", "user_image", "user_text"),
    "tools.mcp_server": ("McpServer", "mcp_server"),
    "errors": ("AudioError", "ConnectionLost", "DeviceError", "FormatError", "HandlerError", "LocalProtocolError",
               "MissingExtraError", "ProtocolError", "RealtimeUtilsError", "RefusedError", "RemoteProtocolError",
               "ResumeError", "SimulatorError", "ToolError"),
}  # fmt: skip
_MODULES = ("middlewares", "simulator")
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_HOME_OF, *_MODULES]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        value: Any = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
    elif name in _MODULES:
        value = importlib.import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
