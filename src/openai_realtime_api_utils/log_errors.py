"""Log every refusal and failed response once: nobody can debug a silent one."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from typing import Any

from .events import redact_text, visible
from .events.encode import APPEND
from .handlers import HANDLED, Metadata

_REMEMBERED = 1_024
"""How many sent events are remembered by id, to name the one that an error answers; the oldest are forgotten."""

_EXPECTED = frozenset({"response_cancel_not_active"})
"""Refusals that mean no harm: a response ended just before it was cancelled."""


LOGGED = frozenset({"error", "response.done"})
"""The types of the server events that ``server_event`` takes; others are nothing to log."""


class LogErrors:
    """Remember what was sent, and log what the server made of it."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._types: OrderedDict[str, str] = OrderedDict()
        self._appends: deque[str] = deque(maxlen=_REMEMBERED)  # apart, for fifty a second would push out the others

    def client_event(self, event: dict[str, Any]) -> None:
        event_id = event.get("event_id")
        if not isinstance(event_id, str):
            return
        if event["type"] == APPEND:
            self._appends.append(event_id)
        else:
            self._types[event_id] = event["type"]
            if len(self._types) > _REMEMBERED:
                self._types.popitem(last=False)

    def server_event(self, event: Any, metadata: Metadata) -> None:
        if event.type == "error":
            if not HANDLED.get(metadata):
                self._log_error(getattr(event, "error", None))
        elif event.type == "response.done" and not HANDLED.get(metadata):
            self._log_failure(getattr(event, "response", None))

    def _log_error(self, error: Any) -> None:
        code, message, event_id = (_field(error, name) for name in ("code", "message", "event_id"))
        caused = None
        if isinstance(event_id, str):
            caused = self._types.get(event_id, APPEND if event_id in self._appends else None)
        self._logger.log(
            logging.INFO if code in _EXPECTED else logging.WARNING,
            "The server refused %s: %s (%s)",
            visible(f"{caused} {event_id}" if caused else str(event_id or "something")),
            _told(message),
            _told(code or _field(error, "type")),
        )

    def _log_failure(self, response: Any) -> None:
        if _field(response, "status") != "failed":
            return
        error = _field(_field(response, "status_details"), "error")
        self._logger.warning(
            "The response %s failed: %s (%s)",
            _told(_field(response, "id")),
            _told(_field(error, "message") or "no message"),
            _told(_field(error, "code") or "no code"),
        )


def _told(value: Any) -> str:
    """Return what a server said as it may stand in a log, which may be a terminal."""
    return visible(redact_text(str(value)))


def _field(value: Any, name: str) -> Any:
    """Read a field of an SDK object, or of the plain dict that the SDK leaves where it does not know the type."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name, None)  # pyright: ignore[reportUnknownMemberType,reportUnknownVariableType]
