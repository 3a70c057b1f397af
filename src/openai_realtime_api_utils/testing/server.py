"""Serve a scripted service in a thread of its own, for clients that want a socket or block."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

from ..simulator.scenario import Dialogue
from ..simulator.settings import Settings
from ..simulator.websocket import Server, serve


@dataclass(frozen=True)
class RealtimeServer:
    """Be a scripted service on a free port."""

    url: str
    """What to give the SDK as ``websocket_base_url``; any key will do."""
    dialogue: Dialogue
    """What the model answers; each session begins it anew. Utterances are understood as ``dialogue.hear`` says."""


@contextmanager
def serving(settings: Settings | None = None) -> Generator[RealtimeServer]:
    """Serve until the block is left."""
    dialogue = Dialogue()
    started: Future[tuple[Server, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        over = asyncio.Event()
        async with serve(dialogue.engine, settings=settings) as server:
            started.set_result((server, asyncio.get_running_loop(), over))
            await over.wait()

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:  # noqa: BLE001  (raised where it is waited for)
            if not started.done():
                started.set_exception(error)

    thread = threading.Thread(target=work, name="realtime_server", daemon=True)
    thread.start()
    server, loop, over = started.result()
    try:
        yield RealtimeServer(server.url, dialogue)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
