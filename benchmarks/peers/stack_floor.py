"""What there is below every library: websockets, orjson and pybase64, by hand."""

import asyncio
import json
from typing import Any

import orjson
import pybase64
import websockets
from drive import PCM_20_MS, Session

UPDATE = '{"type":"session.update","session":{"type":"realtime"}}'
PREBUILT = json.dumps({"type": "input_audio_buffer.append", "audio": pybase64.b64encode(PCM_20_MS).decode()})


async def begin(url: str, told: Any) -> Session:
    ws = await websockets.connect(url, max_size=None, compression=None)
    await ws.send(UPDATE)
    loads, decode, recv = orjson.loads, pybase64.b64decode, ws.recv

    async def receive() -> None:
        while True:
            event = loads(await recv(decode=False))
            told.event()
            match event["type"]:
                case "response.output_audio.delta":
                    told.audio(decode(event["delta"]))
                case "input_audio_buffer.speech_started":
                    told.interrupted()
                case "conversation.item.deleted":
                    told.end(event["event_id"])

    session = Session(lambda: ws.send(PREBUILT), ws.close)
    session.task = asyncio.get_running_loop().create_task(receive())  # type: ignore[attr-defined]
    return session
