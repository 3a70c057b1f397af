"""Functions that compute begin one after the other; those that rest hold nobody up."""

import asyncio
import threading

import pytest

from openai_realtime_api_utils.tools import threads
from openai_realtime_api_utils.tools.computing import PATIENCE_S, Computing

pytestmark = pytest.mark.timeout(20)


class Processor:
    """Say how much time a thread has used: so much more each time it is asked for."""

    def __init__(self, step_s, start_s=0.0):
        self.used_s, self.step_s, self.looked = start_s, step_s, threading.Event()
        self.readings = 0

    def __call__(self, clock):
        self.used_s += self.step_s
        self.readings += 1
        if self.readings >= 6:
            self.looked.set()
        return self.used_s


def taking_turns(processor, clock_of=lambda ident: ident):
    """Hold a turn, have another thread ask for one; return (the turn held, the thread, whether it has had its turn)."""
    computing, had = Computing(clock_of=clock_of, used=processor), threading.Event()

    def other():
        with computing.turn():
            had.set()

    turn = computing.turn()
    turn.__enter__()
    thread = threading.Thread(target=other, daemon=True)
    thread.start()
    return turn, thread, had


def test_a_function_waits_while_another_computes():
    """It is looked at again and again, until it has ended."""
    processor = Processor(step_s=0.003)
    turn, thread, had = taking_turns(processor)
    processor.looked.wait()
    assert not had.is_set()
    turn.__exit__(None, None, None)
    thread.join()
    assert had.is_set()


@pytest.mark.parametrize(
    ("processor", "clock_of"),
    [
        (Processor(step_s=0.0001), lambda ident: ident),
        (Processor(step_s=0.003, start_s=PATIENCE_S), lambda ident: ident),
        (Processor(step_s=0.003, start_s=PATIENCE_S - 0.03), lambda ident: ident),
        (Processor(step_s=0.003), None),
    ],
    ids=["it rests", "it has had its time", "it will have had its time", "the machine cannot tell"],
)
def test_a_function_does_not_wait_for_one_that(processor, clock_of):
    """The other is still at it."""
    turn, thread, had = taking_turns(processor, clock_of)
    thread.join()
    assert had.is_set()
    turn.__exit__(None, None, None)


async def test_a_function_that_was_given_up_while_it_waited_is_not_run(monkeypatch):
    """Nobody would hear of what it did."""
    computing, ran = Computing(clock_of=lambda ident: ident, used=Processor(step_s=0.003)), []
    monkeypatch.setattr(threads, "computing", computing)
    pool = threads.DaemonThreads()
    with computing.turn():
        waiting = asyncio.get_running_loop().create_task(pool.run(lambda: ran.append(1), name="late"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert pool.abandoned == 1
    while pool.abandoned:
        await asyncio.sleep(0.001)
    assert ran == []
