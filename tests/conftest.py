"""Hold what every test must keep: no task left running."""

import asyncio
import inspect

import pytest


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
