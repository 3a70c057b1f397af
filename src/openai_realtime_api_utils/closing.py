"""Tell how a connection ended: by our own close, in good order, or lost."""

from __future__ import annotations

from typing import NamedTuple

from .errors import ConnectionLost

_NORMAL = 1000
ABNORMAL = 1006
"""What WebSocket libraries report where no closing frame came (RFC 6455, 7.1.5)."""

_SENT_BY_LIBRARY = frozenset({1002, 1003, 1007, 1009, 1011})
"""Codes with which the WebSocket library itself gives up on a peer; never what a program closes with."""

_ADVICE = {
    1001: "The service ends every session after 60 minutes: open a new one.",
    1006: "The network or the server went away: connect again.",
    1011: "The server failed or did not answer in time: connect again.",
    3000: "Check the API key and the model.",
}


class Closing(NamedTuple):
    """Hold how a connection ended."""

    code: int
    reason: str
    is_orderly: bool
    """Whether this side closed it, or the server with 1000. Every other end is a loss, 1001 and 1005 included."""

    def as_error(self, what_failed: str = "") -> ConnectionLost:
        """Return the error that tells of this end."""
        return ConnectionLost(self.code, self.reason, advice=f"{what_failed} {_ADVICE.get(self.code, '')}".strip())


def closed_as(error: Exception) -> Closing | None:
    """Read the end of a connection from the exception that told of it; None if it tells of something else."""
    from websockets.exceptions import ConnectionClosed

    if isinstance(error, ConnectionLost):
        return Closing(error.code, error.reason, error.code == _NORMAL)
    if isinstance(error, ConnectionClosed):
        received, sent = error.rcvd, error.sent
        ours = sent is not None and not error.rcvd_then_sent and sent.code not in _SENT_BY_LIBRARY
        told = received or (sent if ours else None)
        code, reason = (told.code, told.reason) if told else (ABNORMAL, "")
        if not told and sent is not None:
            reason = sent.reason
        return Closing(code, reason, ours or code == _NORMAL)
    if isinstance(error, OSError | EOFError):
        return Closing(ABNORMAL, str(error), is_orderly=False)
    return None
