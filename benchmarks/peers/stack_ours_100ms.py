"""This library, sending appends of 100 ms as livekit does, where the others send 20 ms."""

from typing import Any

import pybase64
import stack_ours
from drive import PCM_20_MS, Session

FRAMES = 5


async def begin(url: str, told: Any) -> Session:
    session = await stack_ours.begin(url, told)
    send, waiting = session.send, []  # type: ignore[attr-defined]

    async def append() -> None:
        waiting.append(PCM_20_MS)
        if len(waiting) == FRAMES:
            audio = pybase64.b64encode_as_string(b"".join(waiting))
            waiting.clear()
            await send({"type": "input_audio_buffer.append", "audio": audio})

    session.append = append
    return session
