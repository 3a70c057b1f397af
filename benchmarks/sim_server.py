"""Serve for ``sim.py``, in a process and on a core of its own: ``python -m benchmarks.sim_server simulator|echo``.

Prints the port, and serves until its standard input ends.
"""

import asyncio
import sys

from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import ConnectionClosed

from openai_realtime_api_utils.simulator import ScriptedEngine, serve

ANSWER = "I have looked it up for you, and this is what I found out about it."
"""Some four seconds of speech."""


async def simulate() -> None:
    """Answer every turn, with turn detection and everything else as it is by default."""
    async with serve(lambda: ScriptedEngine({"": ANSWER})) as server:
        await _until_the_end(server.port)


async def echo() -> None:
    """Send back every frame."""

    async def handle(connection: ServerConnection) -> None:
        try:
            async for frame in connection:
                await connection.send(frame)
        except ConnectionClosed:
            return

    async with serve_websocket(handle, "127.0.0.1", 0, compression=None, ping_interval=None, max_size=None) as server:
        await _until_the_end(next(iter(server.sockets)).getsockname()[1])


async def _until_the_end(port: int) -> None:
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run({"simulator": simulate, "echo": echo}[sys.argv[1]]())
