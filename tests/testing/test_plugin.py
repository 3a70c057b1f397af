"""The pytest plugin, in pytest runs of its own: with any runner of coroutines, and at no cost to others."""

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

MODULE = "openai_realtime_api_utils.testing.plugin"
EXAMPLE = Path(__file__).parents[2] / "examples" / "test_weather.py"
IS_INSTALLED = any(entry.value == MODULE for entry in entry_points(group="pytest11"))
LOAD = [] if IS_INSTALLED else ["-p", MODULE]

ASYNCIO = ["-o", "asyncio_default_fixture_loop_scope=function"]

BODY = """
    realtime.dialogue.on("weather").say("Sunny.")
    async with realtime.connect() as connection:
        await realtime.room.say("what is the weather")
        await realtime.quiet()
    assert (realtime.understood(), realtime.heard()) == ("what is the weather", "Sunny.")
"""


@pytest.fixture
def run(tmp_path):
    """Run pytest on a test file; return what it printed, with its exit code at the end."""

    def run(source, *options, file="test_it.py"):
        path = tmp_path / file
        path.write_text(source)
        plain = ["-q", "-c", "/dev/null", "-W", "error", *([] if "no:asyncio" in options else ASYNCIO)]
        command = [sys.executable, "-m", "pytest", *plain, *LOAD, *options, str(path)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
        return f"{done.stdout}{done.stderr}\nexit {done.returncode}"

    return run


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("async def test_it(realtime):" + BODY, ["-o", "asyncio_mode=auto"]),
        ("import pytest\n\n@pytest.mark.asyncio\nasync def test_it(realtime):" + BODY, []),
        (
            "import pytest\n\n@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n\n"
            "@pytest.mark.anyio\nasync def test_it(realtime):" + BODY,
            ["-p", "no:asyncio"],
        ),
        (
            "import asyncio\n\ndef test_it(realtime):\n  async def main():"
            + BODY.replace("\n", "\n  ")
            + "\n  asyncio.run(main())",
            ["-p", "no:asyncio", "-p", "no:anyio"],
        ),
        (
            "import pytest\n\n@pytest.mark.asyncio(loop_scope='module')\nasync def test_it(realtime):"
            + BODY
            + "\n@pytest.mark.asyncio(loop_scope='module')\nasync def test_again(realtime):"
            + BODY,
            [],
        ),
    ],
    ids=["pytest-asyncio auto", "pytest-asyncio strict", "anyio", "no runner", "one loop for several tests"],
)
def test_any_runner_will_do(run, source, options):
    """The clock jumps on whatever event loop a test runs on."""
    printed = run(source, *options)
    assert printed.endswith("exit 0"), printed
    assert "passed" in printed


def test_the_example():
    """The example passes as it stands."""
    command = [sys.executable, "-m", "pytest", "-q", *LOAD, str(EXAMPLE)]
    done = subprocess.run(command, cwd=EXAMPLE.parents[1], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_a_failed_assertion_says_what_was_called(run):
    """What pytest shows of a failed assertion is what happened instead."""
    printed = run("def test_it(realtime):\n    assert realtime.called('get_weather', city='Paris')\n")
    assert "<get_weather(city='Paris') was not called; nothing was>" in printed


def test_a_missing_answer_points_at_the_test(run):
    """What the dialogue lacks is told in one sentence, with the line of the test and nothing of the library's."""
    printed = run(
        """
import asyncio

def test_it(realtime):
    async def main():
        realtime.dialogue.on("wether").say("Sunny.")
        async with realtime.connect():
            await realtime.room.say("the weather")
            await realtime.quiet()

    asyncio.run(main())
""",
        "-p",
        "no:asyncio",
    )
    assert "The dialogue has no answer to 'the weather': add one with dialogue.on(...)." in printed
    assert "test_it.py:9" in printed
    assert "bench.py" not in printed
    assert "Traceback" not in printed


def test_the_marker_sets_up_the_room(run):
    """Room and service are set up by the marker, and what it does not know is refused."""
    printed = run(
        """
import pytest
from openai_realtime_api_utils.simulator import Settings

@pytest.mark.realtime(gain=0.5, settings=Settings(lifetime_s=5))
def test_known(realtime):
    assert realtime._settings.lifetime_s == 5

@pytest.mark.realtime(gane=0.5)
def test_unknown(realtime):
    pass
""",
        "--strict-markers",
    )
    assert "1 passed, 1 error" in printed
    assert "The marker 'realtime' does not know 'gane': use delay_ms, gain, noise, settings, faults by name." in printed


def test_the_server_is_real(run):
    """``realtime_server`` is reached over a socket, by clients that block as well."""
    printed = run(
        """
from openai import OpenAI

def test_it(realtime_server):
    realtime_server.dialogue.on("weather").say("Sunny.")
    content = [{"type": "input_text", "text": "the weather"}]
    with OpenAI(api_key="any", websocket_base_url=realtime_server.url) as client:
        with client.realtime.connect(model="gpt-realtime") as connection:
            connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
            connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})
            connection.response.create()
            texts = []
            for event in connection:
                if event.type == "response.output_text.done":
                    texts.append(event.text)
                if event.type == "response.done":
                    break
    assert texts == ["Sunny."]
    assert realtime_server.said() == "Sunny."
    assert [event["type"] for event in realtime_server.sent][0] == "session.update"
    assert realtime_server.errors == []
"""
    )
    assert printed.endswith("exit 0"), printed


def test_it_costs_others_nothing(run):
    """Whoever does not ask for a fixture gets nothing loaded."""
    printed = run(
        """
import sys

def test_it():
    heavy = {"numpy", "openai", "pydantic", "websockets", "webrtcvad", "yaml"}
    assert heavy & set(sys.modules) == set()
    assert not [name for name in sys.modules if name.startswith("openai_realtime_api_utils.simulator")]
""",
        "-p",
        "no:anyio",
        "-p",
        "no:hypothesispytest",
        "-p",
        "no:asyncio",
    )
    assert printed.endswith("exit 0"), printed


BLOCK = """
import importlib.abc, sys

class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numpy", "webrtcvad"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])

sys.meta_path.insert(0, Block())
"""


@pytest.mark.parametrize("fixture", ["realtime", "realtime_server"])
def test_a_missing_extra_is_told_by_the_test_that_needs_it(run, fixture):
    """Without the extra, only tests that ask for a fixture fail, in one sentence with the mend."""
    printed = run(f"{BLOCK}\ndef test_without(): pass\n\ndef test_with({fixture}): pass\n")
    assert "1 passed, 1 error" in printed
    assert 'run  pip install "openai-realtime-api-utils[local]"' in printed


async def test_a_server_that_cannot_start(monkeypatch):
    """What keeps the server from starting is raised where it was asked for."""
    from openai_realtime_api_utils.testing import server

    def serve(*_args, **_options):
        raise OSError("no sockets left")

    monkeypatch.setattr(server, "serve", serve)
    with pytest.raises(OSError, match="no sockets left"), server.serving():
        pass
