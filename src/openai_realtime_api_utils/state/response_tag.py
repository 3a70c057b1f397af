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
    metadata = _metadata(create)
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


def can_merge(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two requests can be made one; not if somebody waits for each, knowing it by its metadata."""
    return not (_own_metadata(one) and _own_metadata(other))


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return one request, the former's, for what both ask for; where they differ, the later one has it."""
    ours, theirs = body_of(one), body_of(other)
    metadata = {**_metadata(one), **_own_metadata(other)}
    return {**one, "response": {**ours, **theirs, **({"metadata": metadata} if metadata else {})}}


def _metadata(create: Mapping[str, Any]) -> Mapping[str, Any]:
    found: object = body_of(create).get("metadata")
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}


def _own_metadata(create: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata without the tag that names this very request."""
    return {k: v for k, v in _metadata(create).items() if (k, v) != (CREATE_ID, create.get("event_id"))}
