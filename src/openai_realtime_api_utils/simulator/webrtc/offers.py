"""Read the request that begins a call: an SDP offer alone, or one with the session's configuration beside it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from typing import Any, cast

from ..checks import mapping
from ..http_messages import HttpRequest
from ..refusals import Refusal, missing

_HIDDEN = re.compile(r"(?<= )\S+\.local(?= )")
"""The name that a browser puts for its address."""
_MEDIA = re.compile(r"^(a=mid:\S+)", re.MULTILINE)
_PLACEHOLDER = "a=candidate:0 1 udp 1 127.0.0.1 9 typ host"
"""Port 9 discards."""
_KINDS = "'application/sdp' or 'multipart/form-data'"


@dataclass(frozen=True)
class Offer:
    """Be what a caller asks for."""

    sdp: str
    session: dict[str, Any] | None
    """As in a ``session.update``; None where the caller, a page with an ephemeral key, leaves that to the key."""


def read_offer(request: HttpRequest) -> Offer:
    """Read the body in either of its two forms (API reference).

    Raises:
        Refusal: it is neither.
    """
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/sdp":
        return Offer(_text(request.body, "sdp"), None)
    if kind != "multipart/form-data":
        raise Refusal(f"Unsupported content type: '{kind}'. Expected {_KINDS}.", code="unsupported_content_type")
    parts = _parts(content_type, request.body)
    if "sdp" not in parts:
        raise missing("sdp")
    return Offer(_text(parts["sdp"], "sdp"), _session(parts["session"]) if "session" in parts else None)


def with_candidates(sdp: str) -> str:
    """Put addresses into an offer that hides them, or was posted before they were known.

    Which ones does not matter, since those of the caller's packets are taken as well; but with none, or with names that
    nobody can look up, the connection would be given up before the first packet.
    """
    sdp = _HIDDEN.sub("127.0.0.1", sdp)
    return sdp if "a=candidate:" in sdp else _MEDIA.sub(rf"\1\r\n{_PLACEHOLDER}", sdp)


def _parts(content_type: str, body: bytes) -> dict[str, bytes]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    form = BytesParser(policy=policy.HTTP).parsebytes(head + body)
    named = ((part.get_param("name", header="content-disposition"), part) for part in form.iter_parts())
    return {str(name): cast("bytes", part.get_payload(decode=True)) for name, part in named if name}


def _session(content: bytes) -> dict[str, Any]:
    try:
        session: Any = json.loads(content)
    except (ValueError, RecursionError):
        raise Refusal("We could not parse the JSON of 'session'.", code="invalid_json", param="session") from None
    given = mapping(session, "session")
    if "type" not in given:
        raise missing("session.type")
    return given


def _text(content: bytes, name: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise Refusal(f"'{name}' is no UTF-8 text.", code="invalid_value", param=name) from None
