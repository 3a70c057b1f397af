"""The ``openai`` package for Node, which connects to encrypted addresses only."""

import shutil
import ssl
import subprocess

import pytest

from openai_realtime_api_utils.simulator import ScriptedEngine, serve


@pytest.fixture
def certificate(tmp_path):
    """Return the path of a certificate that this machine made for itself, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    path = tmp_path / "certificate.pem"
    new = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*new, *names, "-keyout", path, "-out", tmp_path / "only"], check=True, capture_output=True)
    with path.open("a") as whole:
        whole.write((tmp_path / "only").read_text())
    return path


async def test_text(foreign, wire, certificate):
    """A typed message is answered in text, over TLS."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    async with serve(lambda: ScriptedEngine(["Hello to you."]), tls=tls) as server:
        assert server.url.startswith("wss://127.0.0.1:")
        report = await foreign("openai_agents_js", "openai_client.mjs", "text", server.http_url, certificate)
    assert (report["errors"], wire.errors()) == ([], [])
    assert report["text"] == "Hello to you."
    assert report["seen"][0] == "session.created"
