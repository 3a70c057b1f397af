"""A clock that makes a loop jump that runs already."""

import asyncio
import time

import pytest

from openai_realtime_api_utils.errors import HandlerError
from openai_realtime_api_utils.host.fast_forward import JumpingClock


@pytest.fixture
def clock():
    clock = JumpingClock()
    yield clock
    clock.release()


async def test_waiting_takes_no_time(clock):
    """An hour on the clock is over at once, on the loop that the test runs on."""
    before = time.process_time()
    await clock.sleep_until(3600)
    assert 3600 == clock.now()
    assert time.process_time() - before < 5


async def test_the_loops_own_timers_go_by_the_clock(clock):
    """``asyncio.sleep`` and the clock wake in the order of their times."""
    woken = []

    async def sleep(seconds):
        await asyncio.sleep(seconds)
        woken.append((seconds, round(clock.now(), 6)))

    await clock.sleep_until(0.5)
    await asyncio.gather(sleep(60), sleep(20), clock.sleep_until(40))
    assert [(20, 20.5), (60, 60.5)] == woken


async def test_time_limits_go_by_the_clock(clock):
    """A time limit of asyncio's is up when the clock says so."""
    await clock.sleep_until(1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(30):
            await clock.sleep_until(100)
    assert 31 == pytest.approx(clock.now())


async def test_threads_take_no_time(clock):
    """While a thread works the clock stands still."""
    await clock.sleep_until(1)
    ticking = asyncio.create_task(clock.sleep_until(1000))
    await asyncio.to_thread(time.sleep, 0.05)
    assert 1 == clock.now()
    ticking.cancel()


async def test_a_loop_is_given_back(clock):
    """Once released, the loop goes by the machine's time again."""
    loop = asyncio.get_running_loop()
    selector, now = loop._selector, loop.time()
    await clock.sleep_until(3600)
    assert loop.time() > now + 3000
    clock.release()
    assert loop._selector is selector
    assert loop.time() < now + 3000


async def test_a_loop_of_another_kind_is_refused(clock):
    """One sentence says what it runs on, and what to do."""

    class Loop(asyncio.AbstractEventLoop):
        pass

    with pytest.raises(HandlerError, match=r"cannot make a .*Loop jump: run the program on asyncio's own event loop"):
        clock.take(Loop())


def test_one_loop_after_the_other(clock):
    """A program that runs several loops has each of them jump."""
    asyncio.run(clock.sleep_until(1000))
    asyncio.run(clock.sleep_until(2000))
    assert 2000 == clock.now()
