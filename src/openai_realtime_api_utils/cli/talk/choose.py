"""Choose the server, and say in one line what was chosen and why."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from ...clock import Clock
from ...errors import RealtimeUtilsError
from .moments import Chose, Tell
from .options import TalkOptions

KEY = "OPENAI_API_KEY"


@asynccontextmanager
async def connect(options: TalkOptions, variables: Mapping[str, str], clock: Clock, tell: Tell) -> AsyncGenerator[Any]:
    """Connect to the server that the options and the environment ask for.

    Raises:
        RealtimeUtilsError: the choice cannot be followed; says what to change.
    """
    key = variables.get(KEY)
    if options.fast and (options.url or key):
        asked = "--url names a server" if options.url else f"{KEY} is set"
        raise RealtimeUtilsError(
            f"--fast runs on a clock that jumps, which only the local simulator can follow, but {asked}: "
            f"leave out --fast, or {'--url' if options.url else f'unset {KEY}'}."
        )
    if options.url or key:
        async with _remote(options, key, tell) as connection:
            yield connection
    else:
        async with _local(options, variables, clock, tell) as connection:
            yield connection


@asynccontextmanager
async def _remote(options: TalkOptions, key: str | None, tell: Tell) -> AsyncGenerator[Any]:
    from openai import AsyncOpenAI

    from ..saying import connecting

    if options.url:
        tell(Chose("server", f"{options.model} at {options.url}", "--url names it"))
    else:
        tell(Chose("server", f"{options.model} at OpenAI", f"{KEY} is set"))
    with connecting(options.url or "OpenAI"):
        client = AsyncOpenAI(api_key=key or "none", websocket_base_url=options.url)
        connection = await client.realtime.connect(model=options.model).enter()
    try:
        yield connection
    finally:
        await connection.close()
        await client.close()


@asynccontextmanager
async def _local(options: TalkOptions, variables: Mapping[str, str], clock: Clock, tell: Tell) -> AsyncGenerator[Any]:
    from ...simulator import Settings
    from ...simulator import connect as connect_to_simulator
    from ..engines import local_engines

    engine = local_engines(clock, options.chat_url, options.chat_model, variables)()
    tell(Chose("server", "the local simulator", f"{KEY} is not set"))
    tell(Chose("engine", engine.describe(), "it needs no key and no network"))
    settings = Settings(model=options.model)
    async with connect_to_simulator(engine, settings=settings, clock=clock) as connection:
        yield connection
