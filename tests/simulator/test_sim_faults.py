"""Faults on demand, on a connection inside the process and on a clock that jumps."""

import asyncio
import base64
import json
import math
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import SimulatorError
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator import Call, Faults, ScriptedEngine, connect, synthetic_speech
from openai_realtime_api_utils.simulator.fault_specs import read_faults
from simulated import types

ANSWER = "One moment, I will tell you all that I know about it."


def conversation(faults, *, responses=1, engine=None, until="response.done", before=()):
    """Ask for responses one by one, then wait two minutes; return the events with their times, and what ended it."""
    clock = ManualClock()
    events = []

    async def main():
        async with connect(engine or ScriptedEngine({"": ANSWER}), clock=clock, created_at=0, faults=faults) as it:
            try:
                for event in before:
                    await it.send(event)
                for _ in range(responses):
                    await it.response.create()
                    while (await receive(it))["type"] != until:
                        pass
                rest = asyncio.create_task(receive_all(it))
                over = asyncio.create_task(clock.sleep_until(clock.now() + 120))
                await asyncio.wait({rest, over}, return_when=asyncio.FIRST_COMPLETED)
                over.cancel()
                if rest.done():
                    await rest
                rest.cancel()
            except ConnectionClosed as error:
                return error
            return None

    async def receive(it):
        event = json.loads(await it.recv_bytes())
        events.append((clock.now(), event))
        return event

    async def receive_all(it):
        while True:
            await receive(it)

    return events, fast_forward.run(main(), clock)


def just(events):
    return [event for _, event in events]


def time_of(events, event_type):
    return next(at for at, event in events if event["type"] == event_type)


def test_nothing_is_wrong_by_default():
    """Faults that are none change nothing."""
    plain, _ = conversation(None)
    assert conversation(Faults())[0] == plain


def test_latency_each_way():
    """An answer comes later by both latencies, and the first event by one."""
    plain, _ = conversation(None)
    late, _ = conversation(Faults(latency_s=(0.2, 0.05)))
    assert time_of(late, "session.created") == pytest.approx(time_of(plain, "session.created") + 0.2)
    assert time_of(late, "response.created") == pytest.approx(time_of(plain, "response.created") + 0.25)
    assert types(just(late)) == types(just(plain))


def test_jitter_keeps_the_order():
    """Frames come at uneven times, in order."""
    plain, _ = conversation(None)
    uneven, _ = conversation(Faults(jitter_s=(0.3, 0)))
    assert [event["event_id"] for event in just(uneven)] == [event["event_id"] for event in just(plain)]
    assert len({round(at - was, 3) for (at, _), (was, _) in zip(uneven, plain, strict=True)}) > 5


def test_stall():
    """After the event nothing comes for so long; then everything does."""
    plain, _ = conversation(None)
    stalled, _ = conversation(Faults(stall=("response.output_audio.delta#2", 5)))
    gaps = [b - a for (a, _), (b, _) in pairwise(stalled)]
    assert max(gaps) == pytest.approx(5, abs=0.5)
    assert just(stalled) == just(plain)


def test_half_open():
    """After the event nothing comes any more, and nobody closes the connection."""
    clock = ManualClock()

    async def main():
        faults = Faults(half_open_at="response.created")
        async with connect(ScriptedEngine({"": ANSWER}), clock=clock, created_at=0, faults=faults) as it:
            await it.response.create()
            seen = [(await it.recv()).type for _ in range(2)]
            waiting = asyncio.create_task(it.recv())
            await clock.sleep_until(600)
            is_waiting = not waiting.done()
            waiting.cancel()
            return seen, is_waiting

    assert fast_forward.run(main(), clock) == (["session.created", "response.created"], True)


def test_half_open_ends_with_the_session():
    """When the session's hour is over, a connection that hangs breaks."""
    _, error = conversation(Faults(half_open_at="response.created"))
    assert isinstance(error, ConnectionClosedError)
    assert error.rcvd is None


POINTS = [
    "session.created",
    "response.create",
    "response.created",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_audio_transcript.delta",
    "response.output_audio.delta#3",
    "response.output_audio.done",
    "response.output_item.done",
    "response.done",
]


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013, 3000, 4000])
@pytest.mark.parametrize("moment", POINTS)
def test_close_with_each_code_at_each_point(moment, code):
    """The event that was named is the last that arrives, and the connection ends with the code."""
    events, error = conversation(Faults(close_at=(moment, code)), until="rate_limits.updated")
    event_type = moment.partition("#")[0]
    if event_type != "response.create":
        assert events[-1][1]["type"] == event_type
    assert (error.rcvd.code if error.rcvd else 1006) == code


def test_drop():
    """Of the deltas so many are lost; nothing else is."""
    plain, _ = conversation(None, engine=ScriptedEngine({"": ANSWER * 20}))
    lossy, _ = conversation(Faults(drop=0.5), engine=ScriptedEngine({"": ANSWER * 20}))
    before, after = Counter(e["type"] for e in just(plain)), Counter(e["type"] for e in just(lossy))
    assert {kind for kind in before if before[kind] != after[kind]} == {
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
    }
    assert 0.3 < after.total() / before.total() < 0.7


def test_drop_by_name():
    """An event that is named is lost, whatever it is."""
    events, _ = conversation(Faults(drop={"response.done": 1}), until="rate_limits.updated")
    assert "response.done" not in types(just(events))


def test_one_event_is_dropped_or_doubled():
    """An event that is named by its number is lost, or comes twice, and no other of its type."""
    plain, _ = conversation(None)
    ids = [event["event_id"] for event in just(plain) if event["type"] == "response.output_audio.delta"]
    lost, _ = conversation(Faults(drop={"response.output_audio.delta#2": 1}))
    doubled, _ = conversation(Faults(duplicate={"response.output_audio.delta#2": 1}))
    for events, expected in ((lost, [ids[0], *ids[2:]]), (doubled, [ids[0], ids[1], *ids[1:]])):
        assert [e["event_id"] for e in just(events) if e["type"] == "response.output_audio.delta"] == expected


def test_client_events_are_dropped_too():
    """A frame of the client's can be lost on its way."""
    events, _ = conversation(
        Faults(drop={"input_audio_buffer.clear": 1}), before=[{"type": "input_audio_buffer.clear"}]
    )
    assert "input_audio_buffer.cleared" not in types(just(events))


def test_duplicate():
    """An event comes twice, one right after the other."""
    events, _ = conversation(Faults(duplicate={"response.created": 1}))
    ids = [event["event_id"] for event in just(events) if event["type"] == "response.created"]
    assert len(ids) == 2
    assert len(set(ids)) == 1


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_reordering_keeps_what_the_protocol_promises(seed):
    """Only transcript deltas and rate limits are late, in their own order, and before what ends them."""
    engine = ScriptedEngine([ANSWER * 3] * 2)
    plain, _ = conversation(None, responses=2, engine=ScriptedEngine([ANSWER * 3] * 2), until="rate_limits.updated")
    mixed, _ = conversation(Faults(seed=seed, reorder=0.7), responses=2, engine=engine, until="rate_limits.updated")

    def of(events, *kinds):
        return [event["event_id"] for event in just(events) if event["type"] in kinds]

    every = {event["type"] for event in just(plain)}
    free = {"response.output_audio_transcript.delta", "rate_limits.updated"}
    assert len(mixed) == len(plain)
    assert of(mixed, *(every - free)) == of(plain, *(every - free))
    for kind in free:
        assert of(mixed, kind) == of(plain, kind)
    positions = {event["event_id"]: i for i, event in enumerate(just(mixed))}
    for event in just(mixed):
        if event["type"] == "response.output_audio_transcript.delta":
            ends = [
                e for e in just(mixed) if e["type"].endswith("transcript.done") and e["item_id"] == event["item_id"]
            ]
            starts = [e for e in just(mixed) if e["type"].endswith("part.added") and e["item_id"] == event["item_id"]]
            assert positions[starts[0]["event_id"]] < positions[event["event_id"]] < positions[ends[0]["event_id"]]


def test_reordering_happens():
    """Some transcript delta really is late."""
    plain, _ = conversation(None, engine=ScriptedEngine([ANSWER * 3]))
    mixed, _ = conversation(Faults(reorder=0.7), engine=ScriptedEngine([ANSWER * 3]))
    order = [event["event_id"] for event in just(plain)]
    assert [event["event_id"] for event in just(mixed)] != order


ANY = st.builds(
    Faults,
    seed=st.integers(0, 99),
    latency_s=st.floats(0, 1),
    jitter_s=st.floats(0, 1),
    drop=st.floats(0, 1),
    duplicate=st.floats(0, 1),
    reorder=st.floats(0, 1),
    slow_read=st.floats(0, 1),
    stall=st.none() | st.tuples(st.sampled_from(POINTS), st.floats(0, 100)),
    close_at=st.none() | st.tuples(st.sampled_from(POINTS), st.sampled_from([1000, 1006, 1011])),
    fail_response=st.sampled_from([(), 1]),
    rate_limit=st.sampled_from([(), 2]),
    start_over=st.sampled_from([(), 1, "all"]),
)


@settings(max_examples=15, deadline=None)
@given(ANY)
def test_same_seed_same_run(faults):
    """Whatever goes wrong, it goes wrong the same way again: the same events at the same times, the same end."""
    one, two = conversation(faults, responses=2), conversation(faults, responses=2)
    assert one[0] == two[0]
    assert type(one[1]) is type(two[1])


def test_another_seed_another_run():
    """Another seed loses other frames."""
    one, _ = conversation(Faults(seed=1, drop=0.5))
    two, _ = conversation(Faults(seed=2, drop=0.5))
    assert just(one) != just(two)


def test_failed_response():
    """The response fails once something was said; the next one does not."""
    events, _ = conversation(Faults(fail_response=1), responses=2)
    first, second = (event["response"] for event in just(events) if event["type"] == "response.done")
    assert first["status"] == "failed"
    assert first["status_details"]["error"]["code"] == "server_error"
    assert first["output"][0]["content"][0]["transcript"] == ANSWER
    assert second["status"] == "completed"


def test_rate_limited_responses():
    """Those that are named fail before anything was said."""
    events, _ = conversation(Faults(rate_limit="all"), responses=2)
    done = [event["response"] for event in just(events) if event["type"] == "response.done"]
    assert [each["status_details"]["error"]["code"] for each in done] == ["rate_limit_exceeded"] * 2
    assert [each["output"] for each in done] == [[], []]


def test_model_that_starts_over():
    """A response is cancelled by a voice that is its own, and the next one says the same from the start."""
    engine = ScriptedEngine([[ANSWER, ANSWER, Call("go")]])
    events, _ = conversation(Faults(start_over=1), engine=engine)
    kinds = [event["type"] for event in just(events)]
    done = [event["response"] for event in just(events) if event["type"] == "response.done"]
    assert done[0]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert kinds.index("input_audio_buffer.speech_started") < kinds.index("response.done")
    assert kinds.index("response.done") < kinds.index("input_audio_buffer.committed")
    assert [item["type"] for item in done[1]["output"]] == ["message", "function_call"]
    assert done[1]["output"][0]["content"][0]["transcript"] == ANSWER * 2


def test_starting_over_needs_somebody_who_interrupts():
    """Where turns are the client's, nothing is taken for the user's voice."""
    off = {"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"turn_detection": None}}}}
    events, _ = conversation(Faults(start_over="all"), before=[off])
    assert [event["response"]["status"] for event in just(events) if event["type"] == "response.done"] == ["completed"]


def test_slow_reading():
    """The server takes a frame each so often; who sends more waits."""
    clock = ManualClock()

    async def main():
        async with connect(ScriptedEngine(), clock=clock, created_at=0, faults=Faults(slow_read=0.5)) as it:
            await it.recv()
            for _ in range(2000):
                await it.send({"type": "input_audio_buffer.append", "audio": "AAAA"})
            return clock.now()

    assert fast_forward.run(main(), clock) == pytest.approx((2000 - 1024) / 2, rel=0.01)


def test_refused_handshake():
    """``connect`` raises what a refused WebSocket raises."""

    async def main():
        async with connect(ScriptedEngine(), faults=Faults(refuse_handshake=503)):
            pass

    with pytest.raises(InvalidStatus) as refused:
        asyncio.run(main())
    assert refused.value.response.status_code == 503


def test_leaving_in_the_middle_of_a_stall():
    """Whoever leaves need not wait until the fault is over, even if time stands still."""

    async def main():
        faults = Faults(stall=("session.created", 60), slow_read=10, latency_s=5)
        async with connect(ScriptedEngine(), clock=ManualClock(), faults=faults) as it:
            await it.response.create()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"latency_s": -1}, "latency_s was given -1: give a time"),
        ({"jitter_s": (0, math.nan)}, "jitter_s was given nan: give a time"),
        ({"drop": 2}, "drop was given 2: give a share from 0 to 1"),
        ({"duplicate": {"response.done": -1}}, "duplicate was given -1"),
        ({"reorder": 1.5}, "reorder was given 1.5"),
        ({"close_at": ("response.done", 1015)}, "close_at was given 1015: give a close code"),
        ({"close_at": ("response.donne", 1000)}, "no event 'response.donne': did you mean 'response.done'"),
        ({"stall": ("response.done#0", 1)}, "'response.done#0' names no event"),
        ({"refuse_handshake": 200}, "refuse_handshake was given 200"),
        ({"fail_response": 0}, "fail_response was given 0"),
        ({"connections": 0}, "connections was given 0"),
    ],
)
def test_faults_that_cannot_be(wrong, said):
    """A value that makes no sense is one sentence with the value and the mend."""
    with pytest.raises(SimulatorError) as refused:
        Faults(**wrong)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("specs", "faults"),
    [
        ([], Faults()),
        (["latency=0.2", "jitter=0.1/0"], Faults(latency_s=0.2, jitter_s=(0.1, 0.0))),
        (["close=response.output_audio.delta#2:1011"], Faults(close_at=("response.output_audio.delta#2", 1011))),
        (["stall=response.created:3"], Faults(stall=("response.created", 3.0))),
        (["half-open=response.created"], Faults(half_open_at="response.created")),
        (["drop=0.1", "duplicate=response.done:1"], Faults(drop=0.1, duplicate={"response.done": 1.0})),
        (["drop=response.done:1", "drop=error:1"], Faults(drop={"response.done": 1.0, "error": 1.0})),
        (["reorder=0.5", "slow-read=0.1", "refuse=503"], Faults(reorder=0.5, slow_read=0.1, refuse_handshake=503)),
        (["fail-response=all", "rate-limit=1,3"], Faults(fail_response="all", rate_limit=[1, 3])),
        (["start-over=2", "seed=7", "connections=1"], Faults(start_over=[2], seed=7, connections=1)),
    ],
)
def test_faults_of_a_command_line(specs, faults):
    """Each fault has a name and a way to write it."""
    assert read_faults(specs) == faults


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("lag=1", "There is no fault 'lag': choose one of latency, jitter"),
        ("latency", "'latency' cannot be read: write it like latency=0.2"),
        ("latency=fast", "'latency=fast' cannot be read: write it like latency=0.2"),
        ("close=1011", "write it like close=response.output_audio.delta:1011"),
        ("half-open=", "write it like half-open="),
        ("close=response.output_audio.detla:1011", "did you mean 'response.output_audio.delta'?"),
        ("rate-limit=some", "write it like rate-limit="),
    ],
)
def test_faults_that_cannot_be_read(spec, said):
    """A spec that is wrong is told in one sentence, with how it is written."""
    with pytest.raises(SimulatorError) as refused:
        read_faults([spec])
    assert said in str(refused.value)


def test_voice_is_not_lost_on_a_slow_line():
    """Speech that comes late and unevenly is still a turn."""
    clock = ManualClock()

    async def main():
        engine = ScriptedEngine({"weather": "Sunny."}, hears=["the weather"])
        async with connect(engine, clock=clock, created_at=0, faults=Faults(latency_s=0.5, jitter_s=0.5)) as it:
            speech = synthetic_speech("what is the weather").tobytes() + bytes(48_000)
            for i in range(0, len(speech), 960):
                await it.input_audio_buffer.append(audio=base64.b64encode(speech[i : i + 960]).decode())
                await clock.sleep_until(clock.now() + 0.02)
            async for event in it:
                if event.type == "response.done":
                    return event.response.output[0].content[0].transcript
        return None

    assert fast_forward.run(main(), clock) == "Sunny."
