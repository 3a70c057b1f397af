"""Be the HTTP messages that the simulator takes and gives, with the errors worded and shaped as the service's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from .refusals import Refusal

_KEY_PREFIX = "openai-insecure-api-key."
"""How a browser, which cannot set headers, gives its key: among the subprotocols (API reference)."""


@dataclass(frozen=True)
class HttpRequest:
    """Be a request, its body read; header names in lower case, those that came twice joined by commas."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """Return the path alone; a slash at its end means nothing."""
        return urlsplit(self.target).path.rstrip("/")

    @property
    def query(self) -> dict[str, str]:
        """Return the query's parameters; of one that comes twice, the first."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def key(self) -> str:
        """Return the key that it brings, in any of three places; ``""`` if it brings none."""
        scheme, _, key = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and key.strip():
            return key.strip()
        if self.headers.get("api-key"):  # Azure's way (the SDK's client for it)
            return self.headers["api-key"]
        offered = [each.strip() for each in self.headers.get("sec-websocket-protocol", "").split(",")]
        return next((each.removeprefix(_KEY_PREFIX) for each in offered if each.startswith(_KEY_PREFIX)), "")


@dataclass(frozen=True)
class HttpAnswer:
    """Be an answer, whole."""

    status: HTTPStatus
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def all_headers(self) -> list[tuple[str, str]]:
        """Return the headers; every connection carries one request."""
        kind = [("Content-Type", self.content_type)] if self.body else []
        return [
            *kind,
            ("Content-Length", str(len(self.body))),
            ("Connection", "close"),
            ("Access-Control-Allow-Origin", "*"),  # pages call from other origins, with keys and no cookies
            ("Access-Control-Expose-Headers", "Location"),
            *self.headers.items(),
        ]


def as_json(content: object, status: HTTPStatus = HTTPStatus.OK) -> HttpAnswer:
    """Answer with JSON."""
    return HttpAnswer(status, json.dumps(content, ensure_ascii=False).encode())


def refusal(status: HTTPStatus, code: str | None, message: str, param: str | None = None) -> HttpAnswer:
    """Refuse a request, with the service's error object."""
    error: dict[str, Any] = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    return as_json({"error": error}, status)


def refused_by(error: Refusal) -> HttpAnswer:
    """Refuse a request for what is wrong with it."""
    return refusal(HTTPStatus.BAD_REQUEST, error.code, error.message, error.param)


def no_such_call(call_id: str) -> HttpAnswer:
    """Refuse what concerns a call that there is none of, or no more (recorded session)."""
    return refusal(HTTPStatus.NOT_FOUND, "call_id_not_found", f"No call was found with id '{call_id}'.", "")


def no_such_model(model: str | None) -> HttpAnswer:
    """Refuse a model that there is none of."""
    message = f"The model '{model}' does not exist or you do not have access to it."
    return refusal(HTTPStatus.NOT_FOUND, "model_not_found", message)


def spurned(status: int) -> HttpAnswer:
    """Refuse a handshake for no reason but that it was asked for."""
    return refusal(HTTPStatus(status), None, f"The connection was refused with {status}: this was asked for.")
