"""Know how the session is configured: what was asked for, what the server acknowledged, what is still pending.

A ``session.update`` changes only the fields it has; an empty string, an empty list or null clears one; a refused one
changes nothing at all (API reference). The server answers updates in the order in which they were sent, and names an
update by its ``event_id`` only where it refuses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import Any, Literal, TypeAlias, cast

from .reading import at, plain_dict, read_text

SessionType: TypeAlias = Literal["realtime", "transcription", "translation"]

DEFAULT_TURN_DETECTION: Mapping[str, Any] = {"type": "server_vad"}
"""What a session has that was not told otherwise (API reference)."""

_NOT_ECHOED = frozenset({"reasoning", "parallel_tool_calls", "delay", "authorization", "headers"})
"""What the server takes but does not show again (recorded sessions, reported), and secrets."""

_REVOCABLE = 16
"""How many acknowledged updates can still turn out to have been refused. Older ones are merged for good."""


@dataclass(frozen=True)
class Update:
    """Be one ``session.update``."""

    event_id: str | None
    session: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Config:
    """Be all that is known of the session's configuration. Its secrets are not shown."""

    session: Any = field(default=None, repr=False)
    """The session as the server last stated it: the SDK's object."""
    acknowledged: Mapping[str, Any] | None = field(default=None, repr=False)
    """The same as dicts and lists; None before the server's first word."""
    accepted: tuple[Update, ...] = ()
    """The last updates that the server took."""
    merged: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)
    """The updates it took before those."""
    pending: tuple[Update, ...] = ()
    """The updates that it has not answered."""

    @property
    def requested(self) -> dict[str, Any]:
        """The client's own updates in one, those that are pending included."""
        return _merge_all(self.merged, (*self.accepted, *self.pending))

    @property
    def taken(self) -> dict[str, Any]:
        """The client's own updates in one, as far as the server took them."""
        return _merge_all(self.merged, self.accepted)

    @cached_property
    def type(self) -> SessionType:
        """What kind of session this is; ``realtime`` until something says otherwise."""
        for known in (self.acknowledged, self.requested):
            told = f"{read_text(known, 'type')} {read_text(known, 'object')}"
            if "transcription" in told:
                return "transcription"
            if "translation" in told:
                return "translation"
        return "realtime"


def asked(config: Config, event_id: str | None, session: object) -> Config:
    """Take note of an update that is being sent."""
    return replace(config, pending=(*config.pending, Update(event_id, plain_dict(session))))


def stated(config: Config, session: object, *, is_answer: bool) -> Config:
    """Take note of the server's word on the session.

    Args:
        config: what was known.
        session: the session as the server states it.
        is_answer: whether it is ``session.updated``, which answers the oldest pending update if there is one. On a
            sideband connection it may answer somebody else's.
    """
    config = replace(config, session=session, acknowledged=plain_dict(session))
    return _accepted_oldest(config) if is_answer and config.pending else config


def refused(config: Config, event_id: str | None, param: str | None) -> Config:
    """Take back the update that an ``error`` event refuses, if it refuses one.

    Args:
        config: what was known.
        event_id: the event at fault, where the error names it.
        param: the field at fault. An error that names no event but a field of the session is taken to be on the oldest
            pending update that has no id.
    """
    if event_id is None:
        index = next((i for i, update in enumerate(config.pending) if update.event_id is None), None)
        is_on_session = param is not None and (param == "session" or param.startswith("session."))
        return (
            config if index is None or not is_on_session else replace(config, pending=_without(config.pending, index))
        )
    index = _index_of(event_id, config.pending)
    if index is not None:
        return replace(config, pending=_without(config.pending, index))
    index = _index_of(event_id, config.accepted)
    if index is not None:  # the session.updated taken for its answer was the answer to a later one
        config = replace(config, accepted=_without(config.accepted, index))
        return _accepted_oldest(config) if config.pending else config
    return config


def session_type(config: Config) -> SessionType:
    """Return what kind of session this is; ``realtime`` until something says otherwise."""
    return config.type


def turn_detection(config: Config) -> dict[str, Any] | None:
    """Return how the server detects turns; None where it does not, so that the client has to commit them."""
    detection = _detection(config)
    return None if detection is None else dict(detection)


def interrupts_by_itself(config: Config) -> bool:
    """Tell whether the server cancels a response by itself when the user speaks."""
    detection = _detection(config)
    return (
        session_type(config) == "realtime"
        and detection is not None
        and detection.get("interrupt_response") is not False
    )


def drift(config: Config) -> tuple[str, ...]:
    """Return the paths at which the server's session differs from what it took.

    What the session does not show is unknown, not different. Nor do an empty value and null differ: both clear.
    """
    return tuple(_differences(config.taken, config.acknowledged or {}, "session"))


def merge(session: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``session`` with an update applied: objects merge field by field, unless they are of another ``type``."""
    merged = dict(session)
    for name, value in update.items():
        old = merged.get(name)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            old, value = cast("Mapping[str, Any]", old), cast("Mapping[str, Any]", value)
            merged[name] = merge(old, value) if old.get("type") == value.get("type", old.get("type")) else value
        else:
            merged[name] = value
    return merged


def _detection(config: Config) -> Mapping[str, Any] | None:
    if session_type(config) == "translation":
        return None
    found = at(config.acknowledged, "audio", "input", "turn_detection", default=DEFAULT_TURN_DETECTION)
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else None


def _accepted_oldest(config: Config) -> Config:
    accepted = (*config.accepted, config.pending[0])
    old, accepted = accepted[:-_REVOCABLE], accepted[-_REVOCABLE:]
    return replace(config, merged=_merge_all(config.merged, old), accepted=accepted, pending=config.pending[1:])


def _merge_all(session: Mapping[str, Any], updates: Iterable[Update]) -> dict[str, Any]:
    return reduce(merge, (update.session for update in updates), dict(session))


def _index_of(event_id: str, updates: Sequence[Update]) -> int | None:
    return next((i for i, update in enumerate(updates) if update.event_id == event_id), None)


def _without(updates: tuple[Update, ...], index: int) -> tuple[Update, ...]:
    return updates[:index] + updates[index + 1 :]


def _differences(asked_for: Any, shown: Any, path: str) -> Iterator[str]:
    asked_inside, shown_inside = _inside(asked_for), _inside(shown)
    if asked_inside is None or shown_inside is None or type(asked_for) is not type(shown):
        if asked_for != shown and not (_is_clear(asked_for) and _is_clear(shown)):
            yield path
    elif isinstance(asked_for, list) and len(asked_inside) != len(shown_inside):
        yield path
    else:
        for name in sorted((asked_inside.keys() & shown_inside.keys()) - _NOT_ECHOED):
            yield from _differences(asked_inside[name], shown_inside[name], f"{path}.{name}")


def _inside(value: Any) -> dict[str, Any] | None:
    if isinstance(value, list):
        return {str(index): inner for index, inner in enumerate(cast("list[Any]", value))}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _is_clear(value: Any) -> bool:
    return value is None or value in ("", [], {})
