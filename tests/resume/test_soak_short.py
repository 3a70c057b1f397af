"""The short forms of the soak: of the one on a clock that jumps, and of the one in real time."""

import gc
import tracemalloc

import pytest

from benchmarks import soak_real
from benchmarks.soak import drawn, growth, soak
from openai_realtime_api_utils import ManualClock
from openai_realtime_api_utils.host import fast_forward


class Leak:
    """Be a middleware that never forgets."""

    def __init__(self):
        self._events = []

    def server_event_handler(self, event, metadata, _connection):
        self._events.append(str(event) * 4)
        return event, metadata


def allocated_mb():
    """Return what Python has allocated: resident memory of a test run says nothing of so short a time."""
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1e6


@pytest.mark.parametrize("leaks", [False, True])
def test_forty_minutes_of_conversation(caplog, leaks):
    """It goes on through every drop, and memory stays where it is once as many items are kept as may be."""
    caplog.set_level("ERROR")
    clock = ManualClock()
    tracemalloc.start()
    try:
        also = [Leak()] if leaks else []
        options = {"keep_items": 20, "every_h": 0.05, "measure_mb": allocated_mb, "also": also}
        curve = fast_forward.run(soak(0.7, clock, **options), clock)
    finally:
        tracemalloc.stop()
    assert 12 <= len(curve)
    assert [] == caplog.records
    assert "<polyline" in drawn(curve)
    assert (growth(curve) > 2) == leaks  # what is remembered of 256 items of each kind is full after two hours only


async def test_some_seconds_in_real_time():
    """Four conversations over sockets with faults, one by voice: turns are answered, nothing is lost or there twice."""
    held, curve = await soak_real.soak(0.1, sessions=4)
    assert [] == [problem for each in held for problem in each.problems]
    assert all(each.answered for each in held)
    assert curve


def test_what_is_lost_or_there_twice_is_a_problem():
    """The soak would tell."""
    clock = ManualClock()

    async def program():
        return soak_real.Talk(None, clock)

    talk = fast_forward.run(program(), clock)
    held = soak_real.Held(0, done={"a": "user"}, evicted=["b", "b"], runs=["call", "call"])
    held.check(talk)
    assert ["lost: a (user)", "there twice: b", "ran twice: call"] == held.problems
