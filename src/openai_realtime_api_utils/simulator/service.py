"""Hold what the connections of one server have in common: who may come in, and what sessions are made of."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Literal, TypeAlias

from ..clock import Clock
from .base_session import BaseSession
from .engine import Engine
from .fault_injection import Faults
from .http_messages import HttpAnswer, refusal
from .ids import Ids
from .keys import EphemeralKeys, Kind
from .opening import open_session
from .phone_call import PhoneCall
from .refusals import missing
from .session import Session
from .settings import Settings
from .vad import Vad

Watch: TypeAlias = Callable[[int, Literal["client", "server"], str | bytes], object]
"""Is told of every frame: which connection's it is, counted from 0, who sends it, and the frame."""


@dataclass
class Service:
    """Be one simulated service, whatever carries its events."""

    engine_factory: Callable[[], Engine]
    settings: Settings
    clock: Clock
    vad: Callable[[], Vad]
    created_at: float
    """Seconds since 1970 when it began; the clock says what has passed since."""
    faults: Faults | None = None
    watch: Watch | None = None
    calls: dict[str, PhoneCall] = field(init=False, default_factory=dict[str, PhoneCall])
    """The calls that go on, by id."""
    keys: EphemeralKeys = field(init=False)
    _began: float = field(init=False)
    _ids: Ids = field(init=False)
    _numbers: itertools.count[int] = field(init=False, default_factory=itertools.count)

    def __post_init__(self) -> None:
        self._began = self.clock.now()
        self.keys = EphemeralKeys(self.unix_now)
        self._ids = Ids(self.settings.seed)

    def unix_now(self) -> float:
        """Return the time in seconds since 1970, by the clock that everything here goes by."""
        return self.created_at + self.clock.now() - self._began

    def new_event_id(self) -> str:
        return self._ids.new("event")

    def new_session(self, kind: Kind, model: str | None, given: dict[str, Any] | None) -> BaseSession:
        """Begin a session, with ids of its own.

        Raises:
            Refusal: something in ``given`` is refused.
        """
        if given is not None and "type" not in given and kind != "translation":
            raise missing("session.type")
        return open_session(
            kind,
            now=self.clock.now(),
            created_at=int(self.unix_now()),
            settings=replace(self.settings, seed=self.settings.seed + next(self._numbers)),
            model=model,
            given=given,
            vad=self.vad,
        )

    def new_call(self, model: str | None, given: dict[str, Any] | None) -> Session:
        """Begin the session of a call.

        Raises:
            Refusal: something in ``given`` is refused.
        """
        return Session(
            now=self.clock.now(),
            created_at=int(self.unix_now()),
            settings=replace(self.settings, seed=self.settings.seed + next(self._numbers)),
            model=model,
            given=given,
            call_id=self._ids.new("rtc_u0"),
            vad=self.vad,
        )

    def refuses_key(self, key: str) -> bool:
        """Say whether a key is none of those that are let in. An expired ephemeral key is let in, and told then."""
        keys = self.settings.api_keys
        return keys is not None and key not in keys and self.keys.find(key) is None

    def refused_key(self, key: str) -> HttpAnswer | None:
        """Refuse a request that has no key, or none that opens the REST half of the API; None if it has."""
        if not key:
            message = "Missing bearer authentication: send 'Authorization: Bearer <key>'."
            return refusal(HTTPStatus.UNAUTHORIZED, "missing_api_key", message)
        if self.refuses_key(key) or self.keys.find(key) is not None:
            return refusal(HTTPStatus.UNAUTHORIZED, "invalid_api_key", "Incorrect API key provided.")
        return None

    def refused_caller(self, key: str) -> HttpAnswer | None:
        """Refuse the key of somebody who calls; an ephemeral one does, until it expires. None if it may call."""
        minted = self.keys.find(key)
        if minted is None:
            return self.refused_key(key)
        if self.keys.is_expired(minted):
            message = "Ephemeral token has expired: create another one."
            return refusal(HTTPStatus.UNAUTHORIZED, "ephemeral_token_expired", message)
        return None

    def refuses_model(self, model: str | None) -> bool:
        """Say whether there is no such model; None is that of a connection that names none."""
        return self.settings.models is not None and (model or self.settings.model) not in self.settings.models
