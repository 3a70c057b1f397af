"""Tell whoever forgot it that a middleware that sends must be given ``send``."""

from __future__ import annotations

from ..errors import HandlerError
from ..ports import Send


def registered(send: Send | None, middleware: str) -> Send:
    """Return ``send``.

    Raises:
        HandlerError: it was never registered.
    """
    if send is None:
        raise HandlerError(
            f"{middleware} has work to do but no send: call its register_send_with_handlers(send) inside  "
            "with hook_handlers(...) as (keep_receiving, send)"
        )
    return send
