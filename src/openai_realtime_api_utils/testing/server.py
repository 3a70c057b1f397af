"""Serve a scripted service in a thread of its own, for clients that want a socket or block."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Literal

from ..clock import SystemClock
from ..simulator.fault_injection import Faults
from ..simulator.scenario import Dialogue
from ..simulator.settings import Settings
from ..simulator.websocket import Server, serve
from .findings import Findings
from .record import Record, Wire


class RealtimeServer(Findings):
    """Be a scripted service on a free port. The pytest fixture ``realtime_server`` is one."""

    def __init__(self, server: Server, dialogue: Dialogue, record: Record) -> None:
        super().__init__(record)
        self.url = server.url
        """What to give the SDK as ``websocket_base_url``; any key will do."""
        self.http_url = server.http_url
        """What to give the SDK as ``base_url``, for REST and WebSocket both."""
        self.dialogue = dialogue
        """What the model answers; each session begins it anew. Utterances are understood as ``dialogue.hear`` says."""


@contextmanager
def serving(settings: Settings | None = None, faults: Faults | None = None) -> Generator[RealtimeServer]:
    """Serve until the block is left."""
    clock = SystemClock()
    record, wires = Record(clock), defaultdict[int, Wire](Wire)
    dialogue = Dialogue()
    started: Future[tuple[Server, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    def watch(connection: int, sender: Literal["client", "server"], frame: str | bytes) -> None:
        record.take(wires[connection], sender, frame)

    async def run() -> None:
        over = asyncio.Event()
        engines = partial(dialogue.engine, clock=clock)
        async with serve(engines, settings=settings, clock=clock, watch=watch, faults=faults) as server:
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
        yield RealtimeServer(server, dialogue, record)
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
