"""A connection beside a call that is slow, or has faults, and the call that goes on."""

import asyncio
import json

import pytest
from openai import AsyncOpenAI
from websockets.exceptions import ConnectionClosed

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator import Faults, ScriptedEngine, Settings, serve
from openai_realtime_api_utils.simulator.engine import RATE
from openai_realtime_api_utils.simulator.phone_call import open_call, unheard
from openai_realtime_api_utils.simulator.service import Service
from openai_realtime_api_utils.simulator.sideband import PATIENCE_S, ROOM, Sideband
from simulated import LoudVad, quiet

TEXT = {"type": "realtime", "output_modalities": ["text"]}
AT_ONCE = Settings(pace=1000, first_audio_s=0, text_tokens_per_s=1_000_000)
WORDS = 2 * ROOM


class Line:
    """Be the socket of a sideband: it takes so many frames, and then none."""

    def __init__(self, takes=10**9):
        self.takes = takes
        self.types = []
        self.closed = []
        self.is_over = asyncio.Event()

    async def send(self, frame):
        if len(self.types) == self.takes:
            await self.is_over.wait()
            return
        self.types.append(json.loads(frame)["type"])

    async def close(self, code, reason):
        self.closed.append(code)
        self.is_over.set()

    async def frames(self, *events):
        for event in events:
            yield json.dumps(event)
        await self.is_over.wait()


def a_call(clock, replies):
    service = Service(lambda: ScriptedEngine(replies), AT_ONCE, clock, LoudVad, 0)
    return open_call(service, model=None, given=TEXT, on_speech=unheard, on_hush=lambda: None)


def test_one_that_reads_nothing_holds_up_nobody():
    """It is dropped once too much waits for it; the other has all of the answer, a second later at most."""
    clock = ManualClock()

    async def main():
        stuck, other = Line(takes=3), Line()
        async with a_call(clock, [" ".join(["word"] * WORDS)]) as call, asyncio.TaskGroup() as tasks:
            tasks.create_task(call.attach(stuck.frames(), stuck.send, stuck.close))
            tasks.create_task(call.attach(other.frames({"type": "response.create"}), other.send, other.close))
            while "response.done" not in other.types:
                await clock.sleep_until(clock.now() + 0.1)
            took = clock.now()
            call.hang_up()
        return took, stuck, other

    took, stuck, other = fast_forward.run(main(), clock)
    assert (stuck.closed, other.closed) == ([1006], [1000])
    assert other.types.count("response.output_text.delta") == WORDS
    assert took < PATIENCE_S + 0.5


def test_one_that_reads_gets_a_burst_whole():
    """More at once than there is room for reaches whoever reads."""
    clock = ManualClock()

    async def main():
        line = Line()
        sideband = Sideband(clock, line.send, line.close)
        delivering = asyncio.create_task(sideband.deliver())
        for _ in range(3 * ROOM):
            await sideband.put('{"type": "error"}')
        await sideband.end(1000, "")
        await delivering
        return len(line.types), line.closed

    assert fast_forward.run(main(), clock) == (3 * ROOM, [1000])


def test_a_call_ends_though_one_reads_nothing():
    """Who does not take what is left is dropped a second later."""
    clock = ManualClock()

    async def main():
        line = Line(takes=0)
        async with a_call(clock, ["Hello."]) as call:
            attached = asyncio.create_task(call.attach(line.frames({"type": "response.create"}), line.send, line.close))
            await clock.sleep_until(1)
        await attached
        return clock.now(), line.closed

    assert fast_forward.run(main(), clock) == (1 + PATIENCE_S, [1006])


def served(faults, replies=("Hello.",)):
    return serve(lambda: ScriptedEngine(replies), settings=AT_ONCE, vad=LoudVad, faults=faults)


def client_of(server):
    return AsyncOpenAI(api_key="any", base_url=server.http_url, max_retries=0)


async def until(connection, event_type):
    events = []
    while not events or events[-1].type != event_type:
        events.append(await connection.recv())
    return events


async def test_faults_of_one_sideband():
    """The first connection is closed in the middle, as it was asked for; the second sees the whole."""
    async with (
        served(Faults(close_at=("response.created", 1011), connections=1)) as server,
        server.call(given=TEXT) as call,
        client_of(server) as client,
        client.realtime.connect(call_id=call.id) as one,
    ):
        await one.input_audio_buffer.clear()
        await one.recv()
        async with client.realtime.connect(call_id=call.id) as other:
            await other.response.create()
            assert (await until(other, "response.done"))[-1].response.status == "completed"
        with pytest.raises(ConnectionClosed) as closed:
            await until(one, "response.done")
    assert closed.value.rcvd.code == 1011


async def test_what_is_lost_on_the_way_to_a_sideband():
    """Frames are dropped as at any other connection."""
    async with (
        served(Faults(drop={"response.output_text.delta": 1})) as server,
        server.call(given=TEXT) as call,
        client_of(server) as client,
        client.realtime.connect(call_id=call.id) as connection,
    ):
        await connection.response.create()
        events = await until(connection, "response.done")
    assert "response.output_text.delta" not in [event.type for event in events]
    assert events[-1].response.output[0].content[0].text == "Hello."


async def test_model_that_fails_in_a_call():
    """What is wrong with the model is wrong in a call too."""
    async with (
        served(Faults(rate_limit=1)) as server,
        server.call(given=TEXT) as call,
        client_of(server) as client,
        client.realtime.connect(call_id=call.id) as connection,
    ):
        await call.speak(quiet(1 / RATE))
        await connection.response.create()
        (*_, done) = await until(connection, "response.done")
    assert done.response.status_details.error.code == "rate_limit_exceeded"
