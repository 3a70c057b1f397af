"""Measure what talking costs: the CPU time of the program and of the sound engine, with a screen and without."""

import asyncio
import os
import time
from pathlib import Path
from typing import IO

import websockets
from rich.console import Console

from benchmarks.host_deltas import delta_frame
from benchmarks.sound_program import noise
from openai_realtime_api_utils import (
    AudioPlayer,
    StreamMic,
    SystemClock,
    TrackConfig,
    TrackConversation,
    hook_middlewares,
    host_audio,
)
from openai_realtime_api_utils.cli.talk.narrate import Narrate
from openai_realtime_api_utils.cli.talk.screen import Screen
from openai_realtime_api_utils.events import decode


def cpu_pct(seconds: float, *, screen: bool) -> float:
    """Return the CPU time of both processes while speech sounds and the microphone streams, in % of a core."""
    with Path(os.devnull).open("w") as terminal:
        return asyncio.run(_cpu_pct(seconds, terminal, screen=screen))


async def _cpu_pct(seconds: float, terminal: IO[str], *, screen: bool) -> float:
    with host_audio() as audio:
        player, mic = AudioPlayer(audio.speaker), StreamMic(audio.microphone)
        config, conversation = TrackConfig(), TrackConversation()
        shown = Screen(Console(file=terminal, force_terminal=True, width=100))
        narrate = Narrate(config, conversation, player, mic, shown, audio)
        connection = _Nowhere()
        told = [config, conversation, player, mic, *([narrate] if screen else [])]
        async with hook_middlewares(connection, told) as session:
            if screen:
                shown.start()
                session.send.spawn(narrate.keep_looking(SystemClock()), name="the narrator")
            await asyncio.sleep(2.0)
            frame = delta_frame(0, noise(0.2))
            begun, start = _cpu_s(os.getpid()) + _cpu_s(audio.engine_pid), time.monotonic()
            while time.monotonic() < start + seconds:
                spoken = decode(frame)
                player.server_event_handler(spoken, {}, None)
                if screen:
                    narrate.server_event_handler(spoken, {}, None)
                await asyncio.sleep(0.19)
            used = _cpu_s(os.getpid()) + _cpu_s(audio.engine_pid) - begun
            elapsed = time.monotonic() - start
            await connection.close()
        shown.stop()
    return 100 * used / elapsed


class _Nowhere:
    """Be a connection that takes everything."""

    def __init__(self) -> None:
        self._end = asyncio.Event()
        self._first = [b'{"type": "session.created", "event_id": "e", "session": {"type": "realtime"}}']

    async def recv_bytes(self) -> bytes:
        if self._first:
            return self._first.pop()
        await self._end.wait()
        raise websockets.ConnectionClosedOK(None, None)

    async def send_raw(self, data: str) -> None:
        return

    async def close(self, *, code: int = 1000, reason: str = "") -> None:
        self._end.set()


def _cpu_s(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
