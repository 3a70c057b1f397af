"""The ``openai`` package for Node, which connects to encrypted addresses only."""

import ssl

from certificates import make_certificate
from openai_realtime_api_utils.simulator import ScriptedEngine, serve


async def test_text(foreign, wire, tmp_path):
    """A typed message is answered in text, over TLS."""
    certificate = make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    async with serve(lambda: ScriptedEngine(["Hello to you."]), tls=tls) as server:
        assert server.url.startswith("wss://127.0.0.1:")
        report = await foreign("openai_agents_js", "openai_client.mjs", "text", server.http_url, certificate)
    assert (report["errors"], wire.errors()) == ([], [])
    assert report["text"] == "Hello to you."
    assert report["seen"][0] == "session.created"
