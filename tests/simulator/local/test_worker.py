import asyncio
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from openai_realtime_api_utils.clock import ManualClock, SystemClock
from openai_realtime_api_utils.errors import SimulatorError
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator.local.worker import Worker

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


def worker(module: str = "obedient_worker", clock=None) -> Worker:
    return Worker(module, name="test", clock=clock or SystemClock())


@pytest.fixture
async def obedient():
    made = worker()
    yield made
    await made.close()


def children() -> set[int]:
    """Return the processes that this one has started and not reaped."""
    lists = (Path(task, "children").read_text() for task in Path("/proc/self/task").iterdir())
    return {int(child) for text in lists for child in text.split()}


async def test_it_answers_one_request_after_the_other(obedient):
    """Each request gets its own answer."""
    assert [b"one", b"two"] == [await obedient.ask(b"echo one"), await obedient.ask(b"echo two")]


async def test_it_stays_warm(obedient):
    """The same process answers every request."""
    assert await obedient.ask(b"pid") == await obedient.ask(b"pid")


async def test_requests_made_at_once_are_answered_each_with_its_own(obedient):
    """Concurrent requests take turns."""
    asked = [f"{number}".encode() for number in range(20)]
    assert asked == await asyncio.gather(*(obedient.ask(b"echo " + each) for each in asked))


async def test_a_failure_is_told_in_its_own_words(obedient):
    """What the worker's function raises is the message, and the worker lives on."""
    with pytest.raises(SimulatorError, match=r"^The local test failed: no such voice$"):
        await obedient.ask(b"fail no such voice")
    assert await obedient.ask(b"echo well") == b"well"


async def test_a_death_is_told_and_the_next_request_starts_another(obedient):
    """A worker that ended says how, and is replaced."""
    with pytest.raises(SimulatorError, match=r"^The local test ended by itself \(exit code 7\): the next use starts"):
        await obedient.ask(b"exit 7")
    assert await obedient.ask(b"echo back") == b"back"


async def test_a_killed_worker_is_replaced(obedient):
    """A worker that was killed between two requests is found dead, and replaced."""
    os.kill(int(await obedient.ask(b"pid")), 9)
    with pytest.raises(SimulatorError, match="killed by signal 9"):
        await obedient.ask(b"echo gone")
    assert await obedient.ask(b"echo back") == b"back"


async def test_a_module_that_does_not_run_is_told():
    """A worker that cannot begin is an error, not a wait."""
    broken = worker("no_such_module_at_all")
    with pytest.raises(SimulatorError, match="exit code 1"):
        await broken.ask(b"")
    await broken.close()


async def test_a_process_that_cannot_be_started_is_told(monkeypatch):
    """Where there is no Python to run, the reason is passed on."""
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    broken = worker()
    with pytest.raises(SimulatorError, match=r"The local test could not be started: .*No such file"):
        await broken.ask(b"")
    await broken.close()


async def test_what_a_library_prints_does_not_reach_the_answers(obedient):
    """Standard output belongs to the answers alone."""
    assert [b"printed", b"next"] == [await obedient.ask(b"print"), await obedient.ask(b"echo next")]


async def test_a_cancelled_request_leaves_its_answer_to_be_skipped(obedient):
    """The next request gets its own answer, from the same process, though a large one was on its way."""
    pid = await obedient.ask(b"pid")
    for turns in range(6):
        task = asyncio.create_task(obedient.ask(b"big 3000000"))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        large = b"y" * 1_000_000
        assert await obedient.ask(b"echo " + large) == large
    assert await obedient.ask(b"pid") == pid


@linux
async def test_close_ends_the_process():
    """After close there is no process, and no zombie."""
    before = children()
    made = worker()
    pid = int(await made.ask(b"pid"))
    assert children() - before == {pid}
    await made.close()
    assert children() == before


async def test_a_closed_worker_refuses():
    """Nothing is started after close, however often it is called."""
    made = worker()
    await made.close()
    await made.close()
    with pytest.raises(SimulatorError, match="is closed"):
        await made.ask(b"echo")


@linux
async def test_close_does_not_wait_for_work_that_nobody_wants():
    """A request that is under way ends with an error, and its process at once."""
    before = children()
    made = worker()
    await made.ask(b"echo")
    hanging = asyncio.create_task(made.ask(b"hang"))
    await asyncio.sleep(0)
    await made.close()
    with pytest.raises(SimulatorError, match="ended by itself"):
        await hanging
    assert children() == before


@linux
async def test_close_while_it_starts_leaves_nothing():
    """A worker that is closed before it is there ends as soon as it is."""
    before = children()
    made = worker()
    starting = asyncio.create_task(made.ask(b"echo"))
    await asyncio.sleep(0)
    await made.close()
    with pytest.raises(SimulatorError):
        await starting
    assert children() == before


@linux
async def test_cancelling_at_any_moment_leaves_nothing():
    """Whenever request and close are cancelled, a later close finds everything ended."""
    before = children()
    for turns in range(12):
        made = worker()
        for work in (made.ask(b"echo"), made.ask(b"hang"), made.close()):
            task = asyncio.create_task(work)
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await made.close()
    assert children() == before


@linux
async def test_a_cancelled_close_still_ends_the_process():
    """The process is gone when a cancelled close returns."""
    before = children()
    made = worker()
    await made.ask(b"echo")
    closing = asyncio.create_task(made.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    assert children() == before


@linux
async def test_ctrl_c_in_the_terminal_does_not_reach_it(obedient):
    """The worker has a session of its own."""
    pid = int(await obedient.ask(b"pid"))
    assert os.getsid(pid) == pid


def test_a_jumping_clock_stands_still_while_it_works():
    """Starting and asking a worker take no time of a manual clock, though others sleep on it."""
    clock = ManualClock()

    async def main() -> tuple[float, float]:
        made = worker(clock=clock)
        sleeper = asyncio.create_task(clock.sleep_until(100.0))
        await made.ask(b"echo")
        await made.close()
        worked_until = clock.now()
        await sleeper
        return worked_until, clock.now()

    assert fast_forward.run(main(), clock) == (0.0, 100.0)


@linux
def test_it_does_not_outlive_us():
    """A worker ends when the process that started it is gone without a word."""
    program = (
        "import asyncio, os\n"
        "from openai_realtime_api_utils.clock import SystemClock\n"
        "from openai_realtime_api_utils.simulator.local.worker import Worker\n"
        "async def main():\n"
        "    worker = Worker('obedient_worker', name='test', clock=SystemClock())\n"
        "    print((await worker.ask(b'pid')).decode(), flush=True)\n"
        "    input()\n"
        "    os._exit(0)\n"
        "asyncio.run(main())\n"
    )
    path = {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    with subprocess.Popen(
        [sys.executable, "-c", program], env=os.environ | path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as user:
        handle = os.pidfd_open(int(user.stdout.readline()))
        user.communicate(b"\n")
    try:
        assert select.select([handle], [], [], 20)[0] == [handle]
    finally:
        os.close(handle)
