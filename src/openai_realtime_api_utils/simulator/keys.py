"""Mint ephemeral keys, and know what came with them and whether they still let anybody in."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["realtime", "transcription", "translation"]
"""The three types of session."""

_PREFIX = "ek_"
_MOST = 10_000
"""Keys that are remembered; of more, the oldest is forgotten, and is a key like any other then."""


@dataclass(frozen=True)
class EphemeralKey:
    """Be a key for one kind of session, with settings that every session which it starts begins with."""

    value: str
    expires_at: int
    """Seconds since 1970. Sessions that run then go on (API reference)."""
    kind: Kind
    model: str | None
    given: dict[str, Any] | None
    """As in a ``session.update``."""


class EphemeralKeys:
    """Keep the keys of one server."""

    def __init__(self, unix_now: Callable[[], float]) -> None:
        self._unix_now = unix_now
        self._keys: dict[str, EphemeralKey] = {}

    def mint(self, seconds: int, kind: Kind, model: str | None, given: dict[str, Any] | None) -> EphemeralKey:
        """Make a key that lets in for so many seconds, any number of times."""
        # Drawn by the system, not from the seed: on a server that others can reach it is a real key.
        value = _PREFIX + secrets.token_hex(16)
        key = EphemeralKey(value, int(self._unix_now()) + seconds, kind, model, given)
        if len(self._keys) >= _MOST:
            del self._keys[next(iter(self._keys))]
        self._keys[value] = key
        return key

    def find(self, value: str) -> EphemeralKey | None:
        """Return the key that was minted under this name, expired or not."""
        return self._keys.get(value)

    def is_expired(self, key: EphemeralKey) -> bool:
        return self._unix_now() >= key.expires_at
