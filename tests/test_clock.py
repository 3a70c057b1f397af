"""Clocks: time is an argument."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.clock import ManualClock, SystemClock
from openai_realtime_api_utils.host import fast_forward


async def test_the_system_clock_waits_and_never_goes_back():
    """A wait ends at its time or after it."""
    clock = SystemClock()
    until = clock.now() + 0.01
    await clock.sleep_until(until)
    assert clock.now() >= until


async def test_a_manual_clock_wakes_nobody_too_early():
    """Sleepers wake when their time has come, not before."""
    clock, woken = ManualClock(), []

    async def sleeper(t):
        await clock.sleep_until(t)
        woken.append((t, clock.now()))

    tasks = [asyncio.get_running_loop().create_task(sleeper(t)) for t in (2, 1, 3)]
    await asyncio.sleep(0)
    clock.advance(2)
    await asyncio.sleep(0)
    assert woken == [(1, 2), (2, 2)]
    clock.advance_to(3)
    await asyncio.gather(*tasks)
    assert woken == [(1, 2), (2, 2), (3, 3)]


def test_a_clock_cannot_go_back():
    """The past is refused with both times."""
    with pytest.raises(ValueError, match="go back from 5"):
        ManualClock(5).advance_to(4)


async def test_a_cancelled_sleeper_is_forgotten():
    """A cancelled task's wake-up does not hold time up."""
    clock = ManualClock()
    task = asyncio.get_running_loop().create_task(clock.sleep_until(1))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.next_wake() is None


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=20))
def test_fast_forward_wakes_in_order_of_time(times):
    """Everyone wakes exactly on time, in order, and no machine time goes by waiting."""
    clock = ManualClock()

    async def main():
        woken = []

        async def sleeper(t):
            await clock.sleep_until(t)
            woken.append((t, clock.now()))

        await asyncio.gather(*map(sleeper, times))
        return woken

    assert fast_forward.run(main(), clock) == [(t, t) for t in sorted(times)]


def test_fast_forward_waits_for_work_elsewhere():
    """Time stands still while a thread works under clock.working()."""
    clock = ManualClock()

    async def work():
        with clock.working():
            await asyncio.to_thread(__import__("time").sleep, 0.02)
            return clock.now()

    async def main():
        return await asyncio.gather(work(), clock.sleep_until(100))

    assert fast_forward.run(main(), clock)[0] == 0
    assert clock.now() == 100


def test_fast_forward_serves_sockets_before_time_moves():
    """What a socket brings is handled before anybody's later wake-up."""
    clock = ManualClock()

    async def main():
        async def answer(reader, writer):
            writer.write(await reader.readline())
            writer.close()
            await writer.wait_closed()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            alarm = asyncio.get_running_loop().create_task(clock.sleep_until(1))
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\n")
            line, then = await reader.readline(), clock.now()
            writer.close()
            await writer.wait_closed()
            await alarm
            return line, then

    assert fast_forward.run(main(), clock) == (b"hello\n", 0)
