"""Answer the REST half of the API: ephemeral keys, and calls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeAlias

from .checks import Check, mapping, one_of, shape, whole_number
from .http_messages import HttpAnswer, HttpRequest, as_json, no_such_call, refusal, refused_by
from .keys import Kind
from .refusals import Refusal, missing, unknown
from .service import Service

Route: TypeAlias = Callable[[Service, dict[str, Any]], HttpAnswer]

_KEY_SECONDS = 600
"""How long an ephemeral key lets in when nobody says (API reference)."""
CALLS = "/v1/realtime/calls"
_CALL = re.compile(f"{CALLS}/(?P<id>[^/]+)/(?P<verb>accept|hangup|refer|reject)")
_FIELDS: dict[str, Check] = {
    "expires_after": shape({"anchor": one_of("created_at"), "seconds": whole_number(10, 7200)}),
    "session": mapping,
}


def answer(service: Service, request: HttpRequest) -> HttpAnswer:
    """Answer a request of any path and method but GET, and but the offer of a call."""
    if request.method == "OPTIONS":  # a page asks whether it may ask
        asked = request.headers.get("access-control-request-headers", "")
        allowed = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": asked}
        return HttpAnswer(HTTPStatus.NO_CONTENT, headers=allowed)
    route = _route(request.path) if request.method == "POST" else None
    if route is None:
        return refusal(HTTPStatus.NOT_FOUND, None, f"Invalid URL ({request.method} {request.path})")
    refused = service.refused_key(request.key)
    if refused is not None:
        return refused
    try:
        return route(service, _body(request))
    except Refusal as error:
        return refused_by(error)


def _route(path: str) -> Route | None:
    call = _CALL.fullmatch(path)
    if call is not None:
        return lambda service, body: _command(service, call["id"], call["verb"], body)
    return _ROUTES.get(path)


def _command(service: Service, call_id: str, verb: str, body: dict[str, Any]) -> HttpAnswer:
    """Do something about a call (API reference)."""
    call = service.calls.get(call_id)
    if call is None or call.is_over:
        return no_such_call(call_id)
    if verb == "accept":
        call.check(body)
        call.configure(body)
    elif verb == "refer" and not body.get("target_uri"):
        raise missing("target_uri")
    if verb in ("hangup", "reject", "refer"):
        call.hang_up()
    return HttpAnswer(HTTPStatus.OK)


def _body(request: HttpRequest) -> dict[str, Any]:
    try:
        content: Any = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise Refusal("We could not parse the JSON body of your request.", code=None) from None
    return mapping(content, "body")


def _client_secret(service: Service, body: dict[str, Any]) -> HttpAnswer:
    asked = _secret(body)
    given: dict[str, Any] | None = asked.get("session")
    kind: Kind = "transcription" if given is not None and given.get("type") == "transcription" else "realtime"
    return _mint(service, asked, kind, given)


def _translation_secret(service: Service, body: dict[str, Any]) -> HttpAnswer:
    asked = _secret(body)
    given = asked.get("session")
    if given is None or "model" not in given:
        raise missing("session.model")
    return _mint(service, asked, "translation", given)


def _secret(body: dict[str, Any]) -> dict[str, Any]:
    for name in body:
        if name not in _FIELDS:
            raise unknown(name)
    return {name: _FIELDS[name](value, name) for name, value in body.items()}


def _mint(service: Service, asked: dict[str, Any], kind: Kind, given: dict[str, Any] | None) -> HttpAnswer:
    model = given.get("model") if given is not None else None
    session = service.new_session(kind, model, given)  # refuses what a session.update would refuse
    seconds: int = asked.get("expires_after", {}).get("seconds", _KEY_SECONDS)
    key = service.keys.mint(seconds, kind, model, given)
    shown = session.config | {"expires_at": 0}  # 0 in the recorded answer: no session runs yet
    return as_json({"value": key.value, "expires_at": key.expires_at, "session": shown})


_ROUTES: dict[str, Route] = {
    "/v1/realtime/client_secrets": _client_secret,
    "/v1/realtime/translations/client_secrets": _translation_secret,
}
