"""``realtime talk --tools`` and ``--mcp``: the model calls functions and MCP tools, and one sees what comes of it."""

import io
import json
import sys

import pytest
from commands import run_realtime
from rich.console import Console

from openai_realtime_api_utils.cli.talk.moments import Called
from openai_realtime_api_utils.cli.talk.screen import Screen
from openai_realtime_api_utils.simulator import questions

MODULE = '''
import os
from openai_realtime_api_utils import tool

def get_weather(city: str) -> dict:
    """Tell the weather in a city."""
    return {"sky": "rain", "key": "sk-123456789"}

def _hidden(): ...
'''
GUARDED = """
from openai_realtime_api_utils import tool

@tool(needs_approval=True)
def get_weather(city: str) -> str:
    return "rain"
"""
SERVER = """
from mcp.server import MCPServer

app = MCPServer("weather")

@app.tool()
def get_weather(city: str) -> str:
    "Tell the weather in a city."
    return f"sun in {city}"

app.run()
"""


def calls_of(done):
    assert done.returncode == 0, done.stderr
    moments = [json.loads(line) for line in done.stdout.splitlines()]
    called = [m for m in moments if m["kind"] == "called"]
    offered = [m["which"] for m in moments if m.get("what") == "tools"]
    final = [m["text"] for m in moments if m["kind"] == "said" and m["is_final"]]
    return offered, [(m["name"], m["arguments"], m["status"], m["output"]) for m in called], final


def talk(tmp_path, *arguments):
    question = str(questions.path("weather"))
    return run_realtime(
        "talk", "--fast", "--json", "--no-greeting", "--input", question, *arguments, cwd=tmp_path, timeout=100
    )


@pytest.mark.parametrize("name", ["my_tools", "my_tools.py"])
def test_the_functions_of_a_module_are_called(name, tmp_path):
    """By voice; the public ones that the module itself defines; secrets in what they return are not shown."""
    (tmp_path / "my_tools.py").write_text(MODULE)
    assert calls_of(talk(tmp_path, "--tools", name)) == (
        ["get_weather"],
        [
            ("get_weather", '{"city":"Paris"}', "running", None),
            ("get_weather", '{"city":"Paris"}', "answered", '{"sky":"rain","key":"<secret>"}'),
        ],
        ["what is the weather in paris", "Get weather says: sky is rain, key is sk-123456789."],
    )


def test_the_tools_of_an_mcp_server_are_called(tmp_path):
    """The command starts the server, and ends it."""
    (tmp_path / "server.py").write_text(SERVER)
    offered, called, final = calls_of(talk(tmp_path, "--mcp", f"{sys.executable} {tmp_path / 'server.py'}"))
    assert offered == ["get_weather"]
    assert called[-1] == ("get_weather", '{"city":"Paris"}', "answered", "sun in Paris")
    assert final[-1] == "Get weather says: sun in Paris."


@pytest.mark.parametrize(
    ("options", "status"), [([], "refused"), (["--approve"], "answered")], ids=["without", "with --approve"]
)
def test_calls_that_need_approval(options, status, tmp_path):
    """They are refused, and the model told so, unless the command line approves."""
    (tmp_path / "guarded.py").write_text(GUARDED)
    _, called, _ = calls_of(talk(tmp_path, "--tools", "guarded", *options))
    assert called[-1][2] == status


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--tools", "missing"], "There is no module missing"),
        (["--tools", "missing.py"], "There is no file missing.py"),
        (["--tools", "broken"], "broken cannot be loaded: ZeroDivisionError"),
        (["--tools", "empty"], "empty has no public functions"),
        (["--mcp", "no-such-program"], "The MCP server no-such-program could not be used"),
    ],
)
def test_bad_tools_get_one_sentence(arguments, said, tmp_path):
    """Exit code 1, no traceback, nothing written."""
    (tmp_path / "broken.py").write_text("1 / 0")
    (tmp_path / "empty.py").write_text("from math import pi")
    done = talk(tmp_path, *arguments)
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (1, 1)
    assert said in done.stderr
    assert not (tmp_path / "answer.wav").exists()


def shown(*calls):
    stream = io.StringIO()
    screen = Screen(Console(file=stream, width=100, color_system=None))
    for call in calls:
        screen(call)
    return stream.getvalue()


def test_the_screen_shows_a_call_with_what_came_of_it():
    """Name, arguments, result and how long it took, on one line when it has ended."""
    call = {"call_id": "c", "name": "get_weather", "arguments": '{"city":"Paris"}'}
    running = Called(**call, status="running", output=None, seconds=0)
    ended = Called(**call, status="answered", output="rain", seconds=0.31)
    assert 'get_weather(city="Paris") → rain  0.3 s' in shown(running, ended)


def test_the_screen_shows_how_a_call_failed():
    """And cuts what is too long; arguments that are not JSON stand as they are."""
    failed = Called("c", "f", "{oops", "timed_out", "x" * 900, 30.0)
    text = " ".join(shown(failed).split())
    assert "f({oops) → timed out: xxx" in text
    assert text.count("x") < 400
