"""Serve an assistant that talks and is interrupted, again and again; print when each interruption was sent."""

import asyncio
import base64
import json
import random
import sys
import time

import numpy as np
import websockets

RATE = 24_000


async def serve(trials: int) -> None:
    """Serve one connection, and end."""
    over = asyncio.Event()
    tone = (8_000 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)).astype("<i2")
    pieces = [base64.b64encode(tone[n : n + RATE].tobytes()).decode() for n in range(0, len(tone), RATE)]
    rng = random.Random(1)

    async def converse(connection: websockets.ServerConnection) -> None:
        async def send(kind: str, **fields: object) -> None:
            await connection.send(json.dumps({"type": kind, "event_id": "e", **fields}))

        detection = {"type": "server_vad", "interrupt_response": True, "create_response": True}
        session = {"type": "realtime", "id": "s", "audio": {"input": {"turn_detection": detection}}}
        await send("session.created", session=session)
        await asyncio.sleep(1.0)
        for n in range(trials):
            response = {"object": "realtime.response", "id": f"resp_{n}", "status": "in_progress", "output": []}
            await send("response.created", response=response)
            for piece in pieces:
                where = {"response_id": f"resp_{n}", "item_id": f"item_{n}", "output_index": 0, "content_index": 0}
                await send("response.output_audio.delta", **where, delta=piece)
            await asyncio.sleep(0.35 + rng.random() * 0.1)
            print(time.monotonic(), flush=True)
            await send("input_audio_buffer.speech_started", item_id=f"user_{n}", audio_start_ms=0)
            await send("response.done", response={**response, "status": "cancelled"})
            await asyncio.sleep(0.25)
        await connection.close()
        over.set()

    # No pings: a client that is busy on purpose answers late.
    async with websockets.serve(converse, "127.0.0.1", 0, max_size=None, ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await over.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
