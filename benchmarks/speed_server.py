"""Replay sessions to whoever connects, as cheaply as Python can, so that the client is what is measured.

    python -m benchmarks.speed_server

prints its port. The first part of a connection's path says what is served, with options behind semicolons:

    /replay;loops=3/realtime      ten-turn sessions one after the other, as fast as the socket takes them
    /real/realtime                one session after the other in real time, each connection from a turn of its own
    /burst;trials=10;gap=0/...    ten seconds of speech in one burst, and the user's interruption ``gap`` s behind it
    /idle/realtime                nothing

Serving begins at the client's first event. A replay and a burst end with the deletion of an item named END, whose
``event_id`` lists when each interruption was written (``time.monotonic_ns``).
"""

from __future__ import annotations

import asyncio
import base64
import functools
import hashlib
import itertools
import json
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.traffic import timed_session

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SEEDS = 10
AUDIO_FORMAT = {"type": "audio/pcm", "rate": 24000}
DETECTION = {
    "type": "server_vad",
    "threshold": 0.5,
    "prefix_padding_ms": 300,
    "silence_duration_ms": 500,
    "create_response": True,
    "interrupt_response": True,
    "idle_timeout_ms": None,
}
SESSION = {
    "type": "realtime",
    "object": "realtime.session",
    "id": "sess_1",
    "model": "gpt-realtime",
    "output_modalities": ["audio"],
    "instructions": "Be brief. " * 100,
    "tools": [],
    "tool_choice": "auto",
    "max_output_tokens": "inf",
    "tracing": None,
    "truncation": "auto",
    "prompt": None,
    "expires_at": 1790000000,
    "audio": {
        "input": {"format": AUDIO_FORMAT, "transcription": None, "noise_reduction": None, "turn_detection": DETECTION},
        "output": {"format": AUDIO_FORMAT, "voice": "marin", "speed": 1.0},
    },
    "include": None,
}
numbers = itertools.count()


def framed(payload: bytes) -> bytes:
    """Return a text frame as a server sends it."""
    n = len(payload)
    head = bytes((0x81, n)) if n < 126 else struct.pack("!BBH" if n < 65536 else "!BBQ", 0x81, 126 + (n > 65535), n)
    return head + payload


def event(kind: str, **fields: object) -> bytes:
    return framed(json.dumps({"type": kind, "event_id": "event_0", **fields}, separators=(",", ":")).encode())


CREATED = event("session.created", session=SESSION)
UPDATED = event("session.updated", session=SESSION)


@functools.cache
def replayed(seed: int) -> list[tuple[float, bytes]]:
    return [(due, framed(frame)) for due, frame in timed_session(seed)]


class Client(asyncio.Protocol):
    """Be one connection."""

    def __init__(self) -> None:
        self.received = b""
        self.skip = 0
        self.options: dict[str, str] | None = None
        self.mode = ""
        self.writable = asyncio.Event()
        self.writable.set()
        self.serving: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def pause_writing(self) -> None:
        self.writable.clear()

    def resume_writing(self) -> None:
        self.writable.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.writable.set()
        if self.serving is not None:
            self.serving.cancel()

    def data_received(self, data: bytes) -> None:
        if self.skip >= len(data):
            self.skip -= len(data)
            return
        data, self.skip = self.received + data[self.skip :], 0
        if self.options is None:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self.received = head
                return
            self.agree(head)
        self.received = self.frames(data)

    def agree(self, head: bytes) -> None:
        lines = head.split(b"\r\n")
        self.mode, *options = lines[0].split()[1].decode().split("?")[0].strip("/").split("/")[0].split(";")
        self.options = dict(option.split("=") for option in options)
        key = next(x.split(b":", 1)[1].strip() for x in lines if x.lower().startswith(b"sec-websocket-key:"))
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        agreed = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.transport.write(agreed + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n" + CREATED)

    def frames(self, data: bytes) -> bytes:
        """Walk over the client's frames without looking into events; return what is not whole yet."""
        at, end = 0, len(data)
        while end - at >= 6:
            opcode, length, size = data[at] & 15, data[at + 1] & 127, 6
            if length > 125:
                size = 8 if length == 126 else 14
                if end - at < size:
                    break
                length = int.from_bytes(data[at + 2 : at + size - 4], "big")
            if opcode > 7 and end - at < size + length:
                break
            self.frame(opcode, data[at : at + size + length] if opcode > 7 else b"")
            at += size + length
        self.skip = max(0, at - end)
        return data[at:]

    def frame(self, opcode: int, data: bytes) -> None:
        if opcode == 8:
            self.transport.write(b"\x88\x02\x03\xe8")
            self.transport.close()
        elif opcode == 9:
            mask, payload = data[2:6], data[6:]
            self.transport.write(bytes((0x8A, len(payload))) + bytes(c ^ mask[i & 3] for i, c in enumerate(payload)))
        elif self.serving is None and opcode < 8:
            self.transport.write(UPDATED)
            serve = {"replay": self.replay, "real": self.real, "burst": self.burst, "idle": self.idle}[self.mode]
            self.serving = asyncio.get_running_loop().create_task(serve())

    def option(self, name: str, default: float) -> float:
        return float((self.options or {}).get(name, default))

    async def write(self, frame: bytes) -> None:
        if not self.writable.is_set():
            await self.writable.wait()
        self.transport.write(frame)

    async def idle(self) -> None:
        pass

    async def replay(self) -> None:
        await asyncio.sleep(0.3)
        for loop in range(int(self.option("loops", 2))):
            seed = 1 + loop % SEEDS
            for _, frame in replayed(seed):
                await self.write(frame.replace(b"%04d_" % seed, b"%04d_" % (loop + 1)) if loop >= SEEDS else frame)
        await self.write(event("conversation.item.deleted", item_id="END"))

    async def real(self) -> None:
        number = next(numbers)
        frames = replayed(1 + number % SEEDS)
        clock = asyncio.get_running_loop().time
        start = clock() - (number * 0.37 % 1) * frames[-1][0]
        while True:
            for due, frame in frames:
                wait = start + due - clock()
                if wait < -1:
                    continue  # from before this connection began
                if wait > 0.0005:
                    await asyncio.sleep(wait)
                self.transport.write(frame)
            start = clock() + 0.3

    async def burst(self) -> None:
        await asyncio.sleep(0.5)
        written = []
        audio = base64.b64encode(bytes(9600)).decode()
        for trial in range(int(self.option("trials", 10))):
            response, item = f"resp_{trial}", f"item_a{trial}"
            where = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
            message = {"id": item, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
            answer = {"object": "realtime.response", "id": response, "status": "in_progress", "output": []}
            answer |= {"conversation_id": "conv_1", "metadata": None, "usage": None, "status_details": None}
            frames = [
                event("response.created", response=answer),
                event("response.output_item.added", response_id=response, output_index=0, item=message),
                event("conversation.item.added", item=message, previous_item_id=None),
                event("response.content_part.added", **where, part={"type": "audio", "transcript": ""}),
            ]
            for _ in range(50):
                frames.append(event("response.output_audio_transcript.delta", **where, delta=" word"))
                frames.append(event("response.output_audio.delta", **where, delta=audio))
            self.transport.write(b"".join(frames))
            if self.option("gap", 0):
                await asyncio.sleep(self.option("gap", 0))
            written.append(time.monotonic_ns())
            self.transport.write(
                event("input_audio_buffer.speech_started", item_id=f"item_u{trial}", audio_start_ms=1000)
            )
            await asyncio.sleep(0.35)
            message = {**message, "status": "incomplete"}
            for frame in (
                event("response.output_audio.done", **where),
                event("response.output_audio_transcript.done", **where, transcript="word"),
                event("conversation.item.done", item=message, previous_item_id=None),
                event("response.output_item.done", response_id=response, output_index=0, item=message),
                event("response.done", response={**answer, "status": "cancelled"}),
                event("input_audio_buffer.speech_stopped", item_id=f"item_u{trial}", audio_end_ms=2000),
            ):
                self.transport.write(frame)
            await asyncio.sleep(0.1)
        end = {"type": "conversation.item.deleted", "item_id": "END", "event_id": ",".join(map(str, written))}
        self.transport.write(framed(json.dumps(end).encode()))


async def main() -> None:
    for seed in range(1, SEEDS + 1):
        replayed(seed)
    server = await asyncio.get_running_loop().create_server(Client, "127.0.0.1", 0, backlog=2000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop

        uvloop.run(main())
    except ImportError:
        asyncio.run(main())
