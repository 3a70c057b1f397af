"""Say what goes wrong on purpose: on the wire, in the model, at the door."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal, TypeAlias

from ..errors import SimulatorError
from .fault_moments import Moment

ByDirection: TypeAlias = float | tuple[float, float]
"""The same both ways, or (to the client, to the server)."""
Share: TypeAlias = float | Mapping[str, float]
"""Of those events of which others of the kind follow (deltas, appends), or by moment, or by event type; 0 to 1."""
Responses: TypeAlias = int | Collection[int] | Literal["all"]
"""Which responses of a session, counted from 1."""

_NEVER_SENT = (1004, 1015)
"""Codes that no endpoint can close with; 1005 (no code) and 1006 (no close at all) can be made."""


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Hold the faults of a connection. Times in seconds of the simulator's clock. The same seed gives the same run."""

    seed: int = 0
    connections: int | None = None
    """How many connections have them, counted from the first; those after that have none."""
    latency_s: ByDirection = 0.0
    jitter_s: ByDirection = 0.0
    """As much again at most, another for each frame; the order stays."""
    stall: tuple[str, float] | None = None
    """After this event nothing passes either way for so long."""
    half_open_at: str | None = None
    """After this event nothing passes any more, though the connection stays open."""
    close_at: tuple[str, int] | None = None
    """After this event the connection is closed with this code; 1006 drops it without a word."""
    drop: Share = 0.0
    duplicate: Share = 0.0
    reorder: float = 0.0
    """The share of events that come late where the protocol leaves their order open; see the documentation."""
    slow_read: float = 0.0
    """How long the server takes to read each frame, so that the client's own sending stalls."""
    refuse_handshake: int | None = None
    """The HTTP status that a connection is refused with."""
    fail_response: Responses = ()
    """These fail with ``server_error`` once something was said."""
    rate_limit: Responses = ()
    """These fail with ``rate_limit_exceeded`` before anything was said."""
    start_over: Responses = ()
    """These are taken for the user's voice while they sound, are cancelled for it, and begin anew."""
    _shares: dict[str, dict[str, float]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("latency_s", "jitter_s"):
            for each in _both(getattr(self, name)):
                _check(name, each, each >= 0, "a time of 0 seconds or more")
        _check("slow_read", self.slow_read, self.slow_read >= 0, "a time of 0 seconds or more")
        _check("reorder", self.reorder, 0 <= self.reorder <= 1, "a share from 0 to 1")
        shares = {name: _by_type(name, getattr(self, name)) for name in ("drop", "duplicate")}
        object.__setattr__(self, "_shares", shares)
        if self.stall is not None:
            Moment(self.stall[0])
            _check("stall", self.stall[1], self.stall[1] >= 0, "a time of 0 seconds or more")
        if self.half_open_at is not None:
            Moment(self.half_open_at)
        if self.close_at is not None:
            Moment(self.close_at[0])
            code = self.close_at[1]
            is_code = 1000 <= code <= 1015 or 3000 <= code <= 4999
            _check("close_at", code, is_code and code not in _NEVER_SENT, "a close code (1000 to 1014, 3000 to 4999)")
        if self.refuse_handshake is not None:
            status = self.refuse_handshake
            known = {each.value for each in HTTPStatus}
            _check("refuse_handshake", status, status >= 400 and status in known, "an HTTP status from 400 on")
        if self.connections is not None:
            _check("connections", self.connections, self.connections >= 1, "1 or more")
        for name in ("fail_response", "rate_limit", "start_over"):
            for number in _numbers(getattr(self, name)):
                _check(name, number, number >= 1, "the number of a response, counted from 1, or 'all'")

    def concern(self, number: int) -> bool:
        """Say whether a connection has them; the first is number 0."""
        return self.connections is None or number < self.connections

    def latency(self, direction: int) -> float:
        return _both(self.latency_s)[direction]

    def jitter(self, direction: int) -> float:
        return _both(self.jitter_s)[direction]

    def share(self, kind: Literal["drop", "duplicate"], event_type: str) -> float:
        """Return how many of the events of this type have this happen to them, wherever they stand."""
        shares = self._shares[kind]
        if event_type in shares:
            return shares[event_type]
        is_one_of_many = event_type.endswith((".delta", "input_audio_buffer.append"))
        return shares.get("", 0.0) if is_one_of_many else 0.0

    def shares_at_moments(self, kind: Literal["drop", "duplicate"]) -> list[tuple[Moment, float]]:
        """Return the events that this happens to one by one, ``response.done#2``, counted anew, and how likely."""
        return [(Moment(name), share) for name, share in self._shares[kind].items() if "#" in name]


def is_among(number: int, responses: Responses) -> bool:
    """Say whether the faults name this response."""
    return responses == "all" or number in _numbers(responses)


def _both(value: ByDirection) -> tuple[float, float]:
    return value if isinstance(value, tuple) else (value, value)


def _numbers(responses: Responses) -> Collection[int]:
    if isinstance(responses, int):
        return (responses,)
    return () if isinstance(responses, str) else responses


def _by_type(name: str, share: Share) -> dict[str, float]:
    by_type: dict[str, float] = {**share} if isinstance(share, Mapping) else {"": share}
    for event_type, each in by_type.items():
        if event_type:
            Moment(event_type)
        _check(name, each, 0 <= each <= 1, "a share from 0 to 1")
    return by_type


def _check(name: str, value: Any, is_right: bool, wanted: str) -> None:
    if not is_right:
        raise SimulatorError(f"The fault {name} was given {value}: give {wanted}.")
