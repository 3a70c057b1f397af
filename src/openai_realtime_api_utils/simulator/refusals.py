"""Word the refusals of the service: what becomes an ``error`` event, with the session as good as before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Refusal(Exception):
    """Refuse what a client sent. Nothing of it was applied."""

    def __init__(self, message: str, *, code: str | None, param: str | None = None, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param
        self.after_s = after_s
        """How long the service takes to say so; what was sent since may be answered before."""

    def as_error(self, event_id: object) -> dict[str, Any]:
        """Return the ``error`` object of the event that answers the client event ``event_id``."""
        return {
            "type": "invalid_request_error",
            "code": self.code,
            "message": self.message,
            "param": self.param,
            "event_id": event_id if isinstance(event_id, str) else None,
        }


def missing(param: str) -> Refusal:
    """Report a parameter that has to be there."""
    return Refusal(f"Missing required parameter: '{param}'.", code="missing_required_parameter", param=param)


def unknown(param: str) -> Refusal:
    """Report a parameter that nobody knows."""
    return Refusal(f"Unknown parameter: '{param}'.", code="unknown_parameter", param=param)


def unsupported(param: str, value: object, supported: Sequence[str]) -> Refusal:
    """Report a value that is none of those that are known."""
    names = [f"'{name}'" for name in supported]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])}, and {names[-1]}"
    return Refusal(f"Invalid value: '{value}'. Supported values are: {listed}.", code="invalid_value", param=param)


def out_of_range(param: str, value: object, wanted: str) -> Refusal:
    """Report a value beyond its bounds."""
    return Refusal(f"Invalid '{param}': expected {wanted}, but got {value} instead.", code="invalid_value", param=param)


def wrong_type(param: str, value: object, wanted: str) -> Refusal:
    """Report a value of another type."""
    return Refusal(
        f"Invalid type for '{param}': expected {wanted}, but got {_name(value)} instead.",
        code="invalid_type",
        param=param,
    )


def _name(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal number"
        case str():
            return "a string"
        case dict():
            return "an object"
        case _:
            return "an array"
