"""Calls at a real socket: sidebands attach by the call's id, hear of all of it, and REST commands end it."""

import numpy as np
import pytest
from openai import AsyncOpenAI, NotFoundError
from websockets.exceptions import ConnectionClosed, InvalidStatus

from openai_realtime_api_utils.errors import SimulatorError
from openai_realtime_api_utils.simulator import ScriptedEngine, Settings, serve
from openai_realtime_api_utils.simulator.synthetic import synthetic_speech
from simulated import LoudVad, loud, quiet

FAST = Settings(pace=100, first_audio_s=0)


def engine():
    return ScriptedEngine(["Hi.", "Bye."], hears=["hello"])


def client_of(server):
    return AsyncOpenAI(api_key="any", base_url=server.http_url, max_retries=0)


async def until(connection, event_type):
    events = []
    while not events or events[-1].type != event_type:
        events.append(await connection.recv())
    return events


async def test_sideband_sees_a_spoken_turn():
    """A sideband gets no ``session.created`` and no sound, but everything else, the output buffer included."""
    heard = []
    async with (
        serve(engine, settings=FAST, vad=LoudVad) as server,
        server.call(on_speech=heard.append) as call,
        client_of(server) as client,
        client.realtime.connect(call_id=call.id) as connection,
    ):
        await connection.session.update(session={"type": "realtime", "instructions": "Be brief."})
        assert (await connection.recv()).type == "session.updated"
        await call.speak(np.concatenate((loud(1), quiet(1))))
        events = await until(connection, "output_audio_buffer.stopped")
    order = [event.type for event in events]
    assert order[0] == "input_audio_buffer.speech_started"
    assert order[-3:] == ["response.done", "rate_limits.updated", "output_audio_buffer.stopped"]
    assert "response.output_audio.delta" not in order
    assert np.array_equal(np.concatenate(heard), synthetic_speech("Hi."))


async def test_two_sidebands():
    """What happens is told to all that are attached; a refusal to the one that caused it."""
    async with (
        serve(engine, settings=FAST) as server,
        server.call(given={"type": "realtime", "output_modalities": ["text"]}) as call,
        client_of(server) as client,
        client.realtime.connect(call_id=call.id) as one,
        client.realtime.connect(call_id=call.id) as other,
    ):
        await one.response.cancel()
        assert (await one.recv()).error.code == "response_cancel_not_active"
        await one.response.create()
        mine = await until(one, "response.done")
        theirs = await until(other, "response.done")
    assert [event.event_id for event in mine] == [event.event_id for event in theirs]


async def test_keys_are_told():
    """A key that is pressed is told to the sideband."""
    async with (
        serve(engine, settings=FAST) as server,
        server.call() as call,
        client_of(server) as client,
        client.realtime.connect(call_id=call.id) as connection,
    ):
        await connection.input_audio_buffer.clear()
        await connection.recv()
        await call.press("5")
        assert (await connection.recv()).event == "5"


async def test_hangup():
    """Hanging up ends the call and its sidebands; doing so again finds no call (recorded session)."""
    async with (
        serve(engine, settings=FAST) as server,
        server.call() as call,
        client_of(server) as client,
        client.realtime.connect(call_id=call.id) as connection,
    ):
        await connection.input_audio_buffer.clear()
        await connection.recv()
        await client.realtime.calls.hangup(call.id)
        with pytest.raises(ConnectionClosed) as closed:
            await connection.recv()
        assert closed.value.rcvd.code == 1000
        with pytest.raises(NotFoundError) as missing:
            await client.realtime.calls.hangup(call.id)
        assert missing.value.body["code"] == "call_id_not_found"
        assert missing.value.body["param"] == ""
        with pytest.raises(SimulatorError, match="is over: make another one"):
            await call.speak(quiet(0.1))


async def test_accept_refer_reject():
    """The commands of SIP: accepting configures, referring and rejecting end the call."""
    async with serve(engine, settings=FAST) as server, client_of(server) as client:
        async with server.call() as call, client.realtime.connect(call_id=call.id) as connection:
            await connection.input_audio_buffer.clear()
            await connection.recv()
            await client.realtime.calls.accept(call.id, type="realtime", instructions="Be brief.")
            assert (await connection.recv()).session.instructions == "Be brief."
            await client.realtime.calls.refer(call.id, target_uri="tel:+15550100")
            assert call.is_over
        async with server.call() as call:
            await client.realtime.calls.reject(call.id)
            assert call.is_over


async def test_unknown_call():
    """There is nothing to attach to where there is no call."""
    async with serve(engine) as server, client_of(server) as client:
        with pytest.raises(InvalidStatus) as refused:
            async with client.realtime.connect(call_id="rtc_none"):
                pass
    assert refused.value.response.status_code == 404


async def test_leaving_the_block_hangs_up():
    """A sideband is closed when the call is left."""
    async with serve(engine) as server, client_of(server) as client:
        async with server.call() as call:
            manager = client.realtime.connect(call_id=call.id)
            connection = await manager.enter()
            await connection.input_audio_buffer.clear()
            await connection.recv()
        with pytest.raises(ConnectionClosed):
            await connection.recv()


async def test_what_fails_beside_a_call():
    """An error inside the block leaves it as it is, not in a group of errors."""
    async with serve(engine) as server:
        with pytest.raises(ZeroDivisionError):
            async with server.call():
                raise ZeroDivisionError
