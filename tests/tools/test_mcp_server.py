"""Local MCP servers: a real one in a process of its own, over standard input and output and over HTTP."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from openai_realtime_api_utils import Ask, CallTools, ToolError, hook_middlewares, mcp_server
from openai_realtime_api_utils.simulator import Call, ScriptedEngine, connect
from openai_realtime_api_utils.tools.complaints import Complaints

DEMO = Path(__file__).parent / "programs" / "mcp_demo.py"
COMMAND = [sys.executable, str(DEMO)]


class Sent:
    """Watch what is sent."""

    def __init__(self):
        self.outputs, self.count, self.news = [], 0, asyncio.Event()

    def client_event_handler(self, event, metadata, connection):
        self.count += event["type"] == "session.update"
        self.news.set()
        if event["type"] == "conversation.item.create" and "output" in event["item"]:
            self.outputs.append(event["item"]["output"])
        return event, metadata

    async def updates(self, count):
        while self.count < count:
            await self.news.wait()
            self.news.clear()


async def call(server, name, arguments="{}"):
    tool = next(tool for tool in server.tools if tool.name == name)
    return await tool.prepare(arguments, None)()


async def test_its_tools_appear_and_calls_are_routed():
    """With their descriptions and schemas; names are made such as the API takes; a prefix goes before."""
    async with mcp_server(COMMAND, prefix="my_") as server:
        assert [tool.name for tool in server.tools] == ["my_shout", "my_die", "my_odd_name_", "my_learn"]
        shout = server.tools[0].definition
        assert (shout["description"], shout["parameters"]["required"]) == ("Say it loudly.", ["text"])
        assert await call(server, "my_shout", '{"text": "hey"}') == "HEY"
        assert '"sum": 3' in await call(server, "my_odd_name_")


async def test_a_tool_that_fails_is_told_to_the_model():
    """In the server's words; bad arguments, too; the server lives on."""
    async with mcp_server(COMMAND) as server:
        for arguments, told in (
            ('{"text": "fail"}', "shout"),
            ("{}", "text"),
            ("{", "not JSON"),
            ("[]", "JSON object"),
        ):
            with pytest.raises(ToolError) as error:
                await call(server, "shout", arguments)
            assert told in error.value.for_model
        assert await call(server, "shout", '{"text": "a"}') == "A"


async def test_a_server_that_dies_is_reported_once(caplog):
    """With its last words; calls of its tools are answered accordingly, and the block is left in peace."""
    async with mcp_server(COMMAND, name="demo") as server:
        for name in ("die", "shout"):
            with pytest.raises(ToolError, match="The MCP server demo has ended"):
                await call(server, name, '{"text": "x"}')
    logged = [r.getMessage() for r in caplog.records if r.name.startswith("openai_realtime_api_utils")]
    assert len(logged) == 1
    assert logged[0].startswith("The MCP server demo has ended")
    assert logged[0].endswith("It wrote: I have had enough.")


async def test_a_server_that_is_killed_is_noticed_without_a_call(caplog):
    """Its end of the line closes."""
    async with mcp_server(COMMAND, name="demo") as server:
        dying = asyncio.get_running_loop().create_task(call(server, "die"))
        while server.client is not None:
            await asyncio.sleep(0.01)
        await asyncio.gather(dying, return_exceptions=True)
    assert "has ended" in caplog.text


async def test_a_line_that_closes_behind_the_block_is_no_news(caplog, monkeypatch):
    """The thread that reads it may tell it late."""
    closed = []
    monkeypatch.setattr(Complaints, "on_end", lambda _self, tell: closed.append(tell))
    async with mcp_server(COMMAND, name="demo"):
        pass
    [tell] = closed
    tell()
    await asyncio.sleep(0)
    assert not caplog.records


OLD = [sys.executable, str(DEMO.with_name("mcp_old.py"))]


@pytest.mark.parametrize(
    ("command", "before", "after"),
    [
        (COMMAND, ["shout", "die", "odd_name_", "learn"], ["shout", "die", "odd_name_", "learn", "learnt"]),
        (OLD, ["look", "learn"], ["look", "learn", "learnt"]),
    ],
    ids=["new", "old"],
)
async def test_tools_that_a_server_has_later_are_listed_again(command, before, after):
    """New servers tell of them in a stream, old ones by a notification; a list may have pages."""
    async with mcp_server(command) as server:
        assert [tool.name for tool in server.tools] == before
        changed = server.changed
        await call(server, "learn", '{"name": "learnt"}')
        await changed.wait()
        assert [tool.name for tool in server.tools] == after
        assert not server.changed.is_set()


async def test_a_session_is_offered_the_tools_that_its_servers_have_later(caplog):
    """They can be called then; one whose name is taken is left out, and the log says so."""

    def learnt() -> str:
        return "mine"

    replies = [
        Call("learn", {"name": "more"}),
        "Learnt.",
        Call("more"),
        "More.",
        Call("learn", {"name": "learnt"}),
        ".",
    ]
    async with mcp_server(COMMAND) as server:
        tools = CallTools([learnt, server])
        ask, sent = Ask(call_tools=tools), Sent()
        async with connect(ScriptedEngine(replies=replies)) as connection:
            async with hook_middlewares(connection, [tools, ask, sent]):
                for changes in (1, 1, 2):
                    await ask.text("Go")
                    await sent.updates(1 + changes)
                names = [tool["name"] for tool in tools.tools]
    assert names == ["learnt", "shout", "die", "odd_name_", "learn", "more"]
    assert sent.outputs == ["changed", "more it is", "changed"]
    assert "has a tool learnt now, which is left out" in caplog.text


async def test_one_over_http_is_reached_by_its_address():
    """Streamable HTTP."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen([*COMMAND, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as program:
        try:
            for _ in range(1000):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                await asyncio.sleep(0.02)
            async with mcp_server(f"http://127.0.0.1:{port}/mcp") as server:
                assert await call(server, "shout", '{"text": "hey"}') == "HEY"
        finally:
            program.terminate()


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("no-such-program --x", "No such file or directory"),
        ([sys.executable, "-c", "1 / 0"], "It wrote: ZeroDivisionError"),
        ("http://127.0.0.1:9/mcp", "could not be used"),
        ("", "give a command line"),
    ],
)
async def test_a_server_that_is_not_there_is_one_sentence(where, why):
    """Which says what to look at."""
    with pytest.raises(ToolError, match=why) as error:
        async with mcp_server(where):
            pass
    assert "\n" not in str(error.value)


async def test_a_program_that_talks_nonsense_is_given_up():
    """After the time that a server has to begin."""
    nonsense = "print('hello'); print('{}', flush=True); import sys; sys.stdin.read()"
    with pytest.raises(ToolError, match=r"did not answer within 0\.5 s"):
        async with mcp_server([sys.executable, "-c", nonsense], start_timeout_s=0.5):
            pass
