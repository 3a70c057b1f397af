"""Be ``realtime simulate``: the Realtime API served on this machine."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from pydantic_core import from_json

from ..clock import Clock, SystemClock
from ..events import redact, redact_text
from ..simulator import Engine, Faults, Server, Settings, load_scenario, serve
from ..simulator.fault_specs import read_faults
from .engines import local_engines
from .saying import CommandError
from .variables import environment

KEY = "SIMULATOR_API_KEY"
"""The variable that holds the key that clients need: an option shows it to everyone who lists processes."""


_SHOWN = 200
"""Characters of a frame that is no event."""


@dataclass(frozen=True)
class SimulateOptions:
    """Hold what the command line asks for."""

    host: str
    port: int
    chat_url: str | None
    chat_model: str | None
    scenario: Path | None
    fault: tuple[str, ...]
    api_key: str | None
    allow_remote: bool
    pace: float
    lifetime: float
    certificate: Path | None


def run_simulate(options: SimulateOptions, *, as_json: bool) -> None:
    """Serve until Ctrl-C."""
    clock = SystemClock()
    key = options.api_key or environment().get(KEY)
    settings = Settings(
        pace=options.pace, lifetime_s=options.lifetime, api_keys=frozenset({key}) if key is not None else None
    )
    faults = read_faults(options.fault) if options.fault else None
    asyncio.run(_serve(options, _engines(clock, options), clock, settings, faults, as_json=as_json))


def _engines(clock: Clock, options: SimulateOptions) -> Callable[[], Engine]:
    if options.scenario is None:
        return local_engines(clock, options.chat_url, options.chat_model, environment())
    if options.chat_url or options.chat_model:
        raise CommandError("--scenario was given with --chat-url or --chat-model: only one of them can answer.")
    return partial(load_scenario(options.scenario).engine, clock=clock)


def _tls(certificate: Path | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        tls.load_cert_chain(certificate)
    except OSError as error:  # an SSLError too: what is in the file is none
        raise CommandError(
            f"--certificate {certificate} cannot be used ({error.strerror or error}): give a PEM file that holds a "
            "certificate and its key."
        ) from error
    return tls


async def _serve(
    options: SimulateOptions,
    engines: Callable[[], Engine],
    clock: Clock,
    settings: Settings,
    faults: Faults | None,
    *,
    as_json: bool,
) -> None:
    serving = serve(
        engines,
        host=options.host,
        port=options.port,
        settings=settings,
        clock=clock,
        allow_remote=options.allow_remote,
        faults=faults,
        watch=_print_frame if as_json else None,
        tls=_tls(options.certificate),
    )
    async with serving as server:
        if as_json:
            _print({"kind": "listening", "url": server.url, "process": os.getpid()})
        else:
            _greet(server, needs_key=settings.api_keys is not None)
        await asyncio.Event().wait()


def _greet(server: Server, *, needs_key: bool) -> None:
    key = "the key" if needs_key else "any"
    print(f"The simulator listens at {server.url} (process {os.getpid()}); end it with Ctrl-C.")
    print(f'A client reaches it with  AsyncOpenAI(api_key="{key}", websocket_base_url="{server.url}")', flush=True)


def _print_frame(connection: int, sender: str, frame: str | bytes) -> None:
    _print({"kind": "frame", "connection": connection, "from": sender, "frame": _shown(frame)})


def _shown(frame: str | bytes) -> object:
    """Return an event without audio and secrets; of what is none, how it begins."""
    try:
        event: object = from_json(frame)
    except ValueError:
        event = None
    if isinstance(event, dict):
        return redact(cast("dict[str, Any]", event))
    return f"<{len(frame)} bytes>" if isinstance(frame, bytes) else redact_text(frame[:_SHOWN])


def _print(line: dict[str, object]) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)
