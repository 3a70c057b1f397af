"""Be ``realtime simulate``: the Realtime API served on this machine."""

from __future__ import annotations

import asyncio
import os

from ..clock import SystemClock
from ..simulator import serve
from .engines import local_engines
from .variables import environment


def run_simulate(host: str, port: int, chat_url: str | None, chat_model: str | None) -> None:
    """Serve until Ctrl-C."""
    asyncio.run(_serve(host, port, chat_url, chat_model))


async def _serve(host: str, port: int, chat_url: str | None, chat_model: str | None) -> None:
    clock = SystemClock()
    engines = local_engines(clock, chat_url, chat_model, environment())
    async with serve(engines, host=host, port=port, clock=clock) as server:
        print(f"The simulator listens at {server.url} (process {os.getpid()}); end it with Ctrl-C.")
        print(f'A client reaches it with  AsyncOpenAI(api_key="any", websocket_base_url="{server.url}")', flush=True)
        await asyncio.Event().wait()
