"""Hold what every test must keep: no task left running, and no frame of the simulator's that is not the SDK's."""

import asyncio
import inspect

import pytest
from hypothesis import settings
from pydantic import ValidationError

from openai_realtime_api_utils.simulator.outbox import Outbox
from simulated import check_event

settings.register_profile("no_deadline", deadline=None)  # a machine that is busy is no failure
settings.load_profile("no_deadline")


@pytest.fixture(autouse=True)
def every_frame_fits_the_sdk(monkeypatch: pytest.MonkeyPatch):
    """Fail a test in whose process the simulator makes an event that the SDK has no type for."""
    make, wrong = Outbox.made, []

    def made(self, event_type, **fields):
        event = make(self, event_type, **fields)
        try:
            check_event(event)
        except ValidationError as error:
            wrong.append(f"{event_type}: {error}")
        return event

    monkeypatch.setattr(Outbox, "made", made)
    yield
    if wrong:
        pytest.fail("The simulator made events that do not fit the SDK's types:\n" + "\n".join(wrong[:3]))


@pytest.fixture(autouse=True)
def no_task_left_behind(request: pytest.FixtureRequest) -> None:
    """Fail an asynchronous test that leaves a task running."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("leftover_tasks")


@pytest.fixture
async def leftover_tasks():
    yield
    mine = asyncio.current_task()
    for _ in range(10):  # a cancelled task needs a few turns of the loop to end
        leftovers = {task for task in asyncio.all_tasks() if task is not mine and not task.done()}
        if not leftovers:
            return
        await asyncio.sleep(0)
    pytest.fail(f"tasks left running: {sorted(task.get_name() for task in leftovers)}")
