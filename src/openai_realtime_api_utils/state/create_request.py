"""Be a request for a response, on its way through the arbiter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

Policy: TypeAlias = Literal["queue", "merge", "refuse", "replace"]
"""What becomes of a request that comes while another response is on its way."""


@dataclass(eq=False)
class Request:
    """Be a ``response.create`` on its way to its response."""

    order: int
    event: dict[str, Any]
    failures: int = 0
    not_before: float = 0.0
    asked_at: float = 0.0

    @property
    def event_id(self) -> str:
        return self.event["event_id"]


class Verdict(NamedTuple):
    """Say what becomes of a request."""

    fate: Literal["sent", "waiting", "merged", "refused"]
    event: dict[str, Any] | None = None
    """The request to let through now, its response tagged; None where it is kept back."""
