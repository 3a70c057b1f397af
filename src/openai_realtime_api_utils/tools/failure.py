"""Say what went wrong with a call, so that the model can act on it and learns no secret."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import ToolError
from ..events import redact_text

if TYPE_CHECKING:
    from pydantic import ValidationError

_LONGEST = 300
"""How many characters of an exception's message the model is told."""

_MOST_ERRORS = 5
"""How many faults of one call's arguments are told."""

_SECRETS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"(\w+://)[^\s/@]+@"), r"\1<secret>@"),
    (re.compile(r"\b(bearer|basic)\s+[^\s,;]+", re.IGNORECASE), r"\1 <secret>"),
    (
        re.compile(
            r"((?:api[-_ ]?key|token|secret|password|passwd|pwd|authorization|credentials?)[\"']?\s*[:=]\s*)"
            r"[\"']?[^\s\"',;&]+",
            re.IGNORECASE,
        ),
        r"\1<secret>",
    ),
    (re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{24,}\b"), "<secret>"),
)
"""What looks like a secret: credentials in a URL, what follows the name of one, long words of letters and digits."""


def told_to_model(error: BaseException) -> str:
    """Return what the model is told of an exception: its kind and first line, never a traceback.

    A ``ToolError`` is told in its own words; whatever else was raised, what looks like a secret is taken out.
    """
    if isinstance(error, ToolError):
        return error.for_model
    if isinstance(error, SystemExit):
        return "The tool tried to end the program."
    lines = str(error).strip().splitlines()
    message = scrubbed(lines[0] if lines else "")
    if len(message) > _LONGEST:
        message = message[: _LONGEST - 1] + "…"
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def scrubbed(text: str) -> str:
    """Return ``text`` without what looks like a secret."""
    text = redact_text(text)
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def bad_arguments(error: ValidationError) -> str:
    """Return what is wrong with which argument."""
    faults = error.errors(include_url=False, include_context=False)
    told = [f"{'.'.join(map(str, fault['loc'])) or 'arguments'}: {fault['msg']}" for fault in faults[:_MOST_ERRORS]]
    more = [f"and {len(faults) - _MOST_ERRORS} more"] if len(faults) > _MOST_ERRORS else []
    return f"The arguments are wrong. {'; '.join([*told, *more])}. Correct them and call again."
