"""Know a response by the request for it.

The server echoes a response's ``metadata`` (API reference), but never the ``event_id`` of the ``response.create``. So
the request is named in the metadata: responses that the server starts by itself cannot be mistaken for the one that was
asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from .reading import at, read, read_text

CREATE_ID = "create_id"
"""The name of the pair."""

_MOST_PAIRS = 16
"""How many pairs metadata may have (API reference)."""


def body_of(create: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a ``response.create`` asks of its response."""
    body: object = create.get("response")
    return dict(cast("Mapping[str, Any]", body)) if isinstance(body, Mapping) else {}


def is_out_of_band(create: Mapping[str, Any]) -> bool:
    """Tell whether the response asked for writes to no conversation."""
    return at(create, "response", "conversation") == "none"


def tagged(create: Mapping[str, Any], create_id: str) -> dict[str, Any]:
    """Return a ``response.create`` whose response will be known; as it is where it has a tag, or no room for one."""
    body = body_of(create)
    metadata = cast("Mapping[str, Any]", body.get("metadata") or {})
    if CREATE_ID in metadata or len(metadata) >= _MOST_PAIRS:
        return dict(create)
    return {**create, "response": {**body, "metadata": {**metadata, CREATE_ID: create_id}}}


def tag_of_create(create: Mapping[str, Any]) -> str | None:
    """Return by what the response to a request will be known."""
    metadata = at(create, "response", "metadata")
    return read_text(metadata, CREATE_ID)


def tag_of(response: object) -> str | None:
    """Return by what a response is known; None where nobody tagged it."""
    return read_text(read(response, "metadata"), CREATE_ID)
