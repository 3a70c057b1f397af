"""Warn of a connection that everybody on its way can read."""

from __future__ import annotations

import ipaddress
import logging
from typing import Any


def warn_of_plain(connection: Any, logger: logging.Logger) -> None:
    """Warn if a connection is known to go without TLS to anywhere but this machine: keys and voices can be read."""
    protocol = getattr(getattr(connection, "_connection", None), "protocol", None)
    uri: Any = getattr(protocol, "uri", None)  # of the websockets library; others are not known
    if uri is None or uri.secure or _is_this_machine(uri.host):
        return
    logger.warning("The connection to %s is not encrypted: use wss:// instead of ws://.", uri.host)


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
