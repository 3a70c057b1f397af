"""Never lose a conversation: a connection over one session after the other, and stores to go on elsewhere."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..state.microphone_gap import KeepLast, MicrophonePolicy, keep_last
    from .entry import resume
    from .file_store import FileStore
    from .frames import SESSION_REPLACED
    from .journal import Store
    from .memory_store import MemoryStore
    from .opening import Change
    from .redis_store import RedisStore

__all__ = [
    "SESSION_REPLACED",
    "Change",
    "FileStore",
    "KeepLast",
    "MemoryStore",
    "MicrophonePolicy",
    "RedisStore",
    "Store",
    "keep_last",
    "resume",
]

_MODULES = {
    "SESSION_REPLACED": ".frames",
    "Change": ".opening",
    "FileStore": ".file_store",
    "KeepLast": "..state.microphone_gap",
    "MemoryStore": ".memory_store",
    "MicrophonePolicy": "..state.microphone_gap",
    "RedisStore": ".redis_store",
    "Store": ".journal",
    "keep_last": "..state.microphone_gap",
    "resume": ".entry",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_MODULES[name], __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Module(ModuleType):
    """Be called like the function: importing this module hides the package's name ``resume``, which is the same."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self.resume(*args, **options)


sys.modules[__name__].__class__ = _Module
