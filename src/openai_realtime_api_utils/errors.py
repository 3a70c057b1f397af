"""Say what went wrong, whose fault it is, and what to do about it.

::

    RealtimeUtilsError
    ├── HandlerError            the programmer's: return shape, order, send not registered
    ├── ProtocolError           abstract; carries ``.event``
    │   ├── LocalProtocolError      we were about to send what the protocol forbids
    │   └── RemoteProtocolError     the server sent what cannot be read
    ├── ConnectionLost          the connection ended, and we did not end it
    │   └── ResumeError             and it could not be made good
    ├── AudioError
    │   ├── FormatError             a sound format or file that cannot be used
    │   └── DeviceError             a sound device that cannot be used; carries ``.devices``
    ├── RefusedError            the server refused what was asked, or a response failed; ``.code``
    ├── ToolError               a function that cannot be a tool, or a call of one that failed; ``.for_model``
    ├── MissingExtraError       an optional dependency is not installed
    └── SimulatorError          a script, an engine or the server that runs them
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any


class RealtimeUtilsError(Exception):
    """Be the root of every error this library raises by itself."""


class HandlerError(RealtimeUtilsError):
    """Report a handler or middleware that was written or hooked wrongly."""


class ProtocolError(RealtimeUtilsError):
    """Be the common part of the two protocol errors; raise one of those instead."""

    def __init__(self, message: str, *, event: Any = None) -> None:
        if type(self) is ProtocolError:
            raise TypeError("Raise LocalProtocolError or RemoteProtocolError: a protocol error is always somebody's.")
        super().__init__(message)
        self.event = event
        """The event or frame at fault, where there is one."""


class LocalProtocolError(ProtocolError):
    """Report that this side was about to break the protocol."""


class RemoteProtocolError(ProtocolError):
    """Report that the other side broke the protocol beyond repair."""


class ConnectionLost(RealtimeUtilsError):
    """Report that the connection ended although this side did not end it.

    Codes 1001 and 1005 count as lost too: the service ends a session of 60 minutes with 1001.
    """

    def __init__(self, code: int, reason: str = "", *, advice: str = "") -> None:
        said = f": {reason}" if reason else ", without a reason"
        super().__init__(f"The connection was closed with code {code}{said}.{' ' + advice if advice else ''}")
        self.code = code
        """WebSocket close code; 1006 where the connection broke without a closing frame."""
        self.reason = reason


class ResumeError(ConnectionLost):
    """Report that a lost connection could not be made good; ``code`` and ``reason`` tell the last end."""


class AudioError(RealtimeUtilsError):
    """Be the common part of what goes wrong with sound."""


class FormatError(AudioError):
    """Report a sound format or file that cannot be used."""


class DeviceError(AudioError):
    """Report a microphone or loudspeaker that cannot be used."""

    def __init__(self, message: str, devices: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.devices = tuple(devices)
        """The devices there are, each a ``host.devices.Device``."""


class RefusedError(RealtimeUtilsError):
    """Report that the server refused what was asked, or that a response failed."""

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        """The server's own code."""
        self.param = param
        """The field at fault, where it is one."""


class ToolError(RealtimeUtilsError):
    """Report a function that cannot be a tool, or a call that failed.

    Raise it inside a tool to tell the model, in words of your own, what went wrong and what it can do.
    """

    def __init__(self, message: str, *, for_model: str | None = None) -> None:
        super().__init__(message)
        self.for_model = message if for_model is None else for_model
        """What the model is told."""


class SimulatorError(RealtimeUtilsError):
    """Report a fault of the simulator's script, engine or server."""


class MissingExtraError(RealtimeUtilsError, ImportError):
    """Report an optional dependency that is not installed, with the command that installs it."""

    def __init__(self, needed_by: str, module: str, extra: str) -> None:
        super().__init__(
            f"{needed_by} needs the package '{module}', which is not installed: "
            f'run  pip install "openai-realtime-api-utils[{extra}]"'
        )


def require(module: str, *, extra: str, needed_by: str) -> Any:
    """Import an optional dependency when it is first used.

    Args:
        module: dotted name of the module to import.
        extra: the extra of this distribution that installs it.
        needed_by: what the user was building, for the message.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as cause:
        if cause.name is not None and cause.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingExtraError(needed_by, module, extra) from cause
