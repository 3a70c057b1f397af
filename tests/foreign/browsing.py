"""Open pages in a real browser, and take what they report."""

import asyncio
import json
import os
import shutil
import subprocess
import threading
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest
from foreign_environments import PROGRAMS, ROOT

BUNDLE = "node_modules/@openai/agents-realtime/dist/bundle/openai-realtime-agents.umd.js"
KINDS = {".html": "text/html", ".js": "text/javascript", ".pcm": "audio/l16"}
# Tests run as root in containers, where Chromium's own sandbox cannot be had; nobody presses a key to let sound begin.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)


def chromium() -> str:
    """Return the browser's program; skip the test, or fail it in CI, where there is none."""
    named = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if named is None:
        reason = "Chromium is missing: install it (apt install chromium), or name it in CHROMIUM"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return named


class Site:
    """Serve the pages, and the sound that they speak, until the block is left; they post to it what they report."""

    def __init__(self, speech: Path) -> None:
        self.report: Future = Future()
        self._files = {"speech": speech, "agents.js": ROOT / ".venv" / "foreign" / "openai_agents_js" / BUNDLE}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                path = site.file(self.path.partition("?")[0].removeprefix("/"))
                if path.exists():
                    self.answer(200, KINDS[path.suffix], path.read_bytes())
                else:
                    self.answer(404, "text/plain", b"")

            def do_POST(self):
                site.report.set_result(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.answer(204, "text/plain", b"")

            def answer(self, status, kind, body):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def file(self, name: str) -> Path:
        return self._files.get(name, PROGRAMS / name)

    def address(self, page: str, **query: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{page}?{urlencode(query)}"


async def visit(site: Site, folder: Path, page: str, **query: str):
    """Open a page of the site in the browser; return what it reports."""
    browser = await asyncio.create_subprocess_exec(
        chromium(),
        *FLAGS,
        f"--user-data-dir={folder}",
        site.address(page, **query),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return await asyncio.wrap_future(site.report)
    finally:
        browser.terminate()
        await browser.wait()
