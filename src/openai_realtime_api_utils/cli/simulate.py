"""Be ``realtime simulate``: the Realtime API served on this machine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..clock import Clock, SystemClock
from ..simulator import Engine, load_scenario, serve
from .engines import local_engines
from .saying import CommandError
from .variables import environment


def run_simulate(
    host: str, port: int, chat_url: str | None, chat_model: str | None, scenario: Path | None = None
) -> None:
    """Serve until Ctrl-C."""
    clock = SystemClock()
    engines = _engines(clock, chat_url, chat_model, scenario)
    asyncio.run(_serve(host, port, engines, clock))


def _engines(clock: Clock, chat_url: str | None, chat_model: str | None, scenario: Path | None) -> Callable[[], Engine]:
    if scenario is None:
        return local_engines(clock, chat_url, chat_model, environment())
    if chat_url or chat_model:
        raise CommandError("--scenario was given with --chat-url or --chat-model: only one of them can answer.")
    return partial(load_scenario(scenario).engine, clock=clock)


async def _serve(host: str, port: int, engines: Callable[[], Engine], clock: Clock) -> None:
    async with serve(engines, host=host, port=port, clock=clock) as server:
        print(f"The simulator listens at {server.url} (process {os.getpid()}); end it with Ctrl-C.")
        print(f'A client reaches it with  AsyncOpenAI(api_key="any", websocket_base_url="{server.url}")', flush=True)
        await asyncio.Event().wait()
