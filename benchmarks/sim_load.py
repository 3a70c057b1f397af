"""Be many clients at once, as cheaply as Python can: each appends 20 ms of a spoken question fifty times a second.

Once a second each asks for an item that does not exist. How long the answer takes (an echo server's: the question
itself) is the latency. Frames are made beforehand, and of what comes only the answers are looked at.
"""

import asyncio
import json
import statistics
import sys
import time
from dataclasses import dataclass, field

import numpy as np
import pybase64
from websockets.client import ClientProtocol
from websockets.uri import parse_uri

from openai_realtime_api_utils.host.wav_reader import read_wav
from openai_realtime_api_utils.simulator import questions

FRAME_MS = 20
RATE = 24_000
PAUSE_S = 5.0
"""From one question to the next, time for the answer."""
PROBE = "probe-{:>8}"
WARM_UP_S = 3.0


@dataclass
class Load:
    """Hold what all clients saw."""

    latencies_ms: list[float] = field(default_factory=list)
    frames: int = 0
    late_ms: list[float] = field(default_factory=list)
    """How far behind its own schedule the load was, tick by tick: what it adds to the latencies itself."""
    is_warm: bool = False


class Client(asyncio.Protocol):
    """Be one session: the handshake by ``websockets``, the frames by hand."""

    def __init__(self, port: int, load: Load) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent_at: dict[bytes, float] = {}
        self._load = load
        self._handshake = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/v1/realtime?model=gpt-realtime-2.1"))
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        request = self._handshake.connect()
        request.headers["Authorization"] = "Bearer any"
        self._handshake.send_request(request)
        transport.writelines(self._handshake.data_to_send())

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            head, end, rest = data.partition(b"\r\n\r\n")
            self._handshake.receive_data(head + end)
            self.opened.set_result(None)
            data = rest
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= 2:
            size, start = buffer[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(buffer[start : start + 2]), start + 2
            elif size == 127:
                size, start = int.from_bytes(buffer[start : start + 8]), start + 8
            if len(buffer) < start + size:
                break
            if size < 600:
                self._look(bytes(buffer[start : start + size]))
            self._load.frames += 1
            at = start + size
        del buffer[:at]

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("The server hung up."))

    def probe(self, number: int) -> None:
        name = PROBE.format(number)
        event = {"type": "conversation.item.retrieve", "item_id": "none", "event_id": name}
        self.sent_at[name.encode()] = time.perf_counter()
        self.transport.write(frame(json.dumps(event)))

    def _look(self, payload: bytes) -> None:
        at = payload.find(b"probe-")
        if at >= 0:
            sent = self.sent_at.pop(payload[at : at + len(PROBE.format(0))], None)
            if sent is not None and self._load.is_warm:
                self._load.latencies_ms.append((time.perf_counter() - sent) * 1000)


def frame(text: str) -> bytes:
    """Return a client's text frame; the mask is all zeros, which changes nothing and costs nothing."""
    payload = text.encode()
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2)
    return b"\x81" + size + bytes(4) + payload


def question() -> list[bytes]:
    """Return the appends of one spoken question and the pause after it."""
    speech = read_wav(questions.path("weather"), rate=RATE)
    sound = np.concatenate((speech, np.zeros(round(PAUSE_S * RATE), np.int16)))
    step = RATE * FRAME_MS // 1000
    pieces = [sound[i : i + step].tobytes() for i in range(0, len(sound) - step, step)]
    return [
        frame(json.dumps({"type": "input_audio_buffer.append", "audio": pybase64.b64encode(piece).decode()}))
        for piece in pieces
    ]


async def run(port: int, sessions: int, seconds: float) -> Load:
    """Hold so many sessions for so long."""
    loop = asyncio.get_running_loop()
    load = Load()
    clients: list[Client] = []
    for _ in range(sessions):
        _, client = await loop.create_connection(lambda: Client(port, load), "127.0.0.1", port)
        await client.opened
        clients.append(client)
    appends = question()
    ticks = FRAME_MS  # one each millisecond: so many sessions send in each
    start = loop.time()
    for tick in range(round((WARM_UP_S + seconds) * 1000)):
        due = start + tick / 1000
        load.is_warm = tick >= WARM_UP_S * 1000
        if due > loop.time():
            await asyncio.sleep(due - loop.time())
        elif tick % 10 == 0:
            await asyncio.sleep(0)
        load.late_ms.append((loop.time() - due) * 1000)
        n, turn = divmod(tick, ticks)
        for i in range(turn, sessions, ticks):
            # sessions ask at different times, as callers do
            clients[i].transport.write(appends[(n + i * 37) % len(appends)])
            if (n + i) % (1000 // FRAME_MS) == 0:
                clients[i].probe(n)
    now = time.perf_counter()
    for client in clients:
        load.latencies_ms += [(now - sent) * 1000 for sent in client.sent_at.values()]  # no answer is a late one
        client.transport.abort()
    return load


def main() -> None:
    port, sessions, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    load = asyncio.run(run(port, sessions, seconds))
    told = statistics.quantiles(load.latencies_ms, n=100)
    print(
        json.dumps(
            {
                "p50_ms": told[49],
                "p99_ms": told[98],
                "frames_per_s": load.frames / (seconds + WARM_UP_S),
                "answered": len(load.latencies_ms),
                "late_p99_ms": statistics.quantiles(load.late_ms, n=100)[98],
            }
        )
    )


if __name__ == "__main__":
    main()
