"""A page in a real browser, whose key is ephemeral and travels among the subprotocols."""

import asyncio
import json
import os
import shutil
import subprocess
import threading
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlencode

import pytest
from foreign_environments import PROGRAMS
from openai import AsyncOpenAI

from openai_realtime_api_utils.simulator import ScriptedEngine, Settings, serve

OWN_KEY = "sk-of-the-server"
SECOND_BYTES = 48_000


@pytest.fixture
def chromium():
    """Return the browser's program; skip the test, or fail it in CI, where there is none."""
    named = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if named is None:
        reason = "Chromium is missing: install it (apt install chromium), or name it in CHROMIUM"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return named


@pytest.fixture
def site(spoken):
    """Serve the page and its sound; yield (address, the future of what the page reports)."""
    report = Future()
    files = {"/": ("text/html", (PROGRAMS / "browser_page.html").read_bytes()), "/speech": ("audio/l16", None)}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            kind, body = files.get(self.path.partition("?")[0], ("", b""))
            self.answer(200 if kind else 404, kind, spoken.read_bytes() if body is None else body)

        def do_POST(self):
            report.set_result(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(204, "text/plain", b"")

        def answer(self, status, kind, body):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", report
        server.shutdown()


async def visit(chromium, site, folder, **query):
    """Open the page in the browser; return what it reports."""
    address, report = site
    # Tests run as root in containers, where Chromium's own sandbox cannot be had.
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", f"--user-data-dir={folder}"]
    browser = await asyncio.create_subprocess_exec(
        chromium, *flags, f"{address}?{urlencode(query)}", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        return await asyncio.wrap_future(report)
    finally:
        browser.terminate()
        await browser.wait()


async def test_an_ephemeral_key_is_enough(chromium, site, wire, tmp_path):
    """The page's session begins with the settings of the key, hears the page's sound, and answers in speech."""
    engine = ScriptedEngine(["Sunny."], hears=["what is the weather"])
    async with serve(lambda: engine, settings=Settings(api_keys=frozenset({OWN_KEY}))) as server:
        async with AsyncOpenAI(api_key=OWN_KEY, base_url=server.http_url) as client:
            secret = await client.realtime.client_secrets.create(
                session={"type": "realtime", "model": "gpt-realtime", "instructions": "Be brief."}
            )
        report = await visit(chromium, site, tmp_path, url=f"{server.url}/realtime", key=secret.value)
    assert (report["errors"], wire.errors()) == ([], [])
    assert report["types"][:2] == ["session.created", "input_audio_buffer.speech_started"]
    assert (report["protocol"], report["instructions"]) == ("realtime", "Be brief.")
    assert (report["answer"], report["code"]) == ("Sunny.", 1000)
    assert report["bytes"] == len("Sunny.") * 0.06 * SECOND_BYTES


@pytest.mark.reported
async def test_a_wrong_key_is_seen_by_the_page(chromium, site, wire, tmp_path):
    """A page cannot read an HTTP status, so the close code and its reason are all that it learns of a wrong key."""
    async with serve(lambda: ScriptedEngine([]), settings=Settings(api_keys=frozenset({OWN_KEY}))) as server:
        report = await visit(chromium, site, tmp_path, url=f"{server.url}/realtime?model=gpt-realtime", key="ek_nobody")
    assert (report["code"], report["reason"]) == (3000, "invalid_request_error.invalid_api_key")
    assert (report["types"], wire.sent) == ([], [])
