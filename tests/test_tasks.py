"""Tasks are owned: a failure is seen once, an end is an end."""

import asyncio

import pytest

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import HandlerError
from openai_realtime_api_utils.tasks import TaskOwner, within


async def forever():
    await asyncio.Event().wait()


async def fails(what="boom"):
    raise ValueError(what)


async def test_a_spawned_failure_ends_the_guarded_work():
    """The guarded work ends at once and raises what the spawned work died of, with its name."""
    owner = TaskOwner()
    owner.spawn(fails(), name="the microphone")
    with pytest.raises(ValueError, match="boom") as caught:
        await owner.guard(forever)
    assert ["in the background work 'the microphone'"] == caught.value.__notes__
    owner.close()


async def test_a_failure_is_raised_once():
    """After somebody saw the failure it is not raised again."""
    owner = TaskOwner()
    owner.spawn(fails(), name="w")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="boom"):
        owner.check()
    owner.check()
    owner.close()


async def test_a_failure_before_guarding_is_raised_by_guard():
    """Work that failed before anybody listened is raised as soon as somebody does."""
    owner = TaskOwner()
    owner.spawn(fails(), name="w")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="boom"):
        await owner.guard(forever)
    owner.close()


async def test_close_ends_everything():
    """Closing cancels spawned and guarded work, and the guard raises CancelledError."""
    owner = TaskOwner()
    spawned = owner.spawn(forever(), name="w")
    guarding = asyncio.get_running_loop().create_task(owner.guard(forever))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    owner.close()
    with pytest.raises(asyncio.CancelledError):
        await guarding
    await asyncio.wait({spawned})
    assert spawned.cancelled()


async def test_cancelling_the_guard_cancels_its_work():
    """Who cancels the task that guards ends the guarded work, too."""
    owner, ended = TaskOwner(), asyncio.Event()

    async def work():
        try:
            await forever()
        finally:
            ended.set()

    guarding = asyncio.get_running_loop().create_task(owner.guard(work))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    guarding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await guarding
    assert ended.is_set()


async def test_a_closed_owner_takes_no_work():
    """Work that comes too late is refused with its name, and is not left unawaited."""
    owner = TaskOwner()
    owner.close()
    with pytest.raises(HandlerError, match="'late' was started after"):
        owner.spawn(forever(), name="late")
    with pytest.raises(HandlerError, match="has ended"):
        await owner.guard(forever)


async def test_a_second_failure_is_logged(caplog):
    """Only one failure can be raised; the next is logged with its traceback."""
    owner = TaskOwner()
    owner.spawn(fails("first"), name="a")
    owner.spawn(fails("second"), name="b")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert ["Background work failed: b"] == [record.getMessage() for record in caplog.records]
    with pytest.raises(ValueError, match="first"):
        owner.check()
    owner.close()


async def test_within_returns_what_comes_in_time():
    """Work that is done in time gives its result."""

    async def seven():
        return 7

    assert await within(1, ManualClock(), seven()) == 7


async def test_within_raises_when_the_time_is_up():
    """Work that takes too long is cancelled."""
    clock = ManualClock()
    waiting = asyncio.get_running_loop().create_task(within(1, clock, forever()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    clock.advance(1)
    with pytest.raises(TimeoutError, match="longer than 1 s"):
        await waiting
