"""A connection without TLS to another machine is warned of."""

import logging
from types import SimpleNamespace

import pytest
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from fakes import FakeConnection
from openai_realtime_api_utils.hooks import hook_handlers


def connection_to(url):
    connection = FakeConnection()
    connection._connection = SimpleNamespace(protocol=ClientProtocol(parse_uri(url)))
    return connection


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("ws://example.com/v1", True),
        ("ws://192.0.2.1:8080/v1", True),
        ("wss://example.com/v1", False),
        ("ws://localhost:8080/v1", False),
        ("ws://127.0.0.1/v1", False),
        ("ws://[::1]:8080/v1", False),
    ],
)
async def test_a_plain_connection_is_warned_of(url, warned, caplog):
    """Only where somebody else could read it; the warning names the host and the mend."""
    caplog.set_level(logging.WARNING)
    with hook_handlers(connection_to(url), [], []):
        pass
    assert warned == any("use wss://" in record.getMessage() for record in caplog.records)
