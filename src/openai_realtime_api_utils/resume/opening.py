"""Open connections again: how long to wait, when to stop, and which refusals mean "do not come back"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ..closing import closed_as

_FIRST_WAIT_S = 0.25
_LONGEST_WAIT_S = 8.0

_FINAL_CODES = frozenset({1008, 3000})
"""Closes by which the service refuses the client itself: 3000 is its own for a bad key or model (reported)."""

_FINAL_WORDS = ("invalid_api_key", "model_not_found", "insufficient_quota", "account_deactivated", "billing")
"""What the reason of a close, or the code of an ``error``, holds where coming back is of no use (reported)."""

_PASSING_STATUS = frozenset({408, 409, 425, 429})
"""HTTP statuses of the 400s that pass; all others are final."""


@dataclass(frozen=True)
class Change:
    """Tell what is becoming of the connection."""

    kind: Literal["lost", "waiting", "restored", "rotating", "rotated", "rotation_failed", "gave_up"]
    reason: str
    attempt: int = 0
    """Which attempt to connect again this is about, from 1."""
    wait_s: float = 0.0
    """How long is waited before it."""


@dataclass(frozen=True)
class Limits:
    """Say how long to try."""

    attempts: int
    """How many times to connect again after one loss."""
    give_up_s: float
    """After how many seconds of trying to stop."""
    open_s: float = 15.0
    """How long one attempt may take."""


def backoff_s(attempt: int, draw: Callable[[], float]) -> float:
    """Return how long to wait before an attempt: none before the first, then ever longer, by chance.

    Args:
        attempt: counts from 1.
        draw: a chance from 0 to 1, so that thousands of clients do not come back in step.
    """
    if attempt <= 1:
        return 0.0
    return min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(attempt - 2, 16)) * (0.5 + 0.5 * draw())


def is_final(error: Exception, last_code: str | None = None) -> bool:
    """Tell whether an error means that it is of no use to connect again.

    Args:
        error: what ended the connection, or kept it from opening.
        last_code: the code of the server's last ``error`` event, if it was its last word.
    """
    closing = closed_as(error)
    if closing is not None:
        told = f"{closing.reason} {last_code or ''}"
        return closing.code in _FINAL_CODES or any(word in told for word in _FINAL_WORDS)
    status = _http_status(error)
    if status is not None:
        return 400 <= status < 500 and status not in _PASSING_STATUS
    return not _is_of_the_network(error)


def _is_of_the_network(error: Exception) -> bool:
    import openai
    from websockets.exceptions import WebSocketException

    return isinstance(error, WebSocketException | TimeoutError | openai.APIConnectionError)


def _http_status(error: Any) -> int | None:
    for told in (getattr(error, "status_code", None), getattr(getattr(error, "response", None), "status_code", None)):
        if isinstance(told, int):
            return told
    return None
