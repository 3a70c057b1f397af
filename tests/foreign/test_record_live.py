"""``make live`` records what it should; the simulator stands in for the service."""

import io
from contextlib import redirect_stdout
from functools import cache

import pytest
import yaml
from openai import AsyncOpenAI

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator import ScriptedEngine, Settings, serve
from openai_realtime_api_utils.simulator.mcp_server import McpServer, McpTool
from tools import record_live
from tools.live_traces import MCP, TRACES

KEY = "sk-test-0123456789abcdef"
SERVER = McpServer([McpTool("read_wiki_structure", answer="- Overview", read_only=True)])


def engine():
    return ScriptedEngine({"": "Once upon a time there was a lighthouse. " * 10}, hears=["what time is it"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("recordings")


@cache
def recorded(folder, name):
    """Record one trace; return what was told of it, its file's text, and its interactions."""
    clock = ManualClock()

    async def main():
        async with (
            serve(engine, clock=clock, settings=Settings(mcp_servers={MCP["server_label"]: SERVER})) as server,
            AsyncOpenAI(api_key=KEY, websocket_base_url=server.url) as client,
        ):
            return await record_live.record(name, client, "gpt-realtime-2.1", clock)

    path = folder / f"live_{name}.yaml"
    with redirect_stdout(io.StringIO()) as told:
        record_live.keep(fast_forward.run(main(), clock), path, KEY)
    text = path.read_text()
    return told.getvalue(), text, yaml.safe_load(text)["interactions"]


def received(interactions, *types):
    return [i["data"] for i in interactions if i["direction"] == "received" and i["data"]["type"] in types]


@pytest.mark.parametrize("name", TRACES)
def test_nothing_is_missing(name, folder):
    """Every trace goes its way to the end; the file has neither the key nor the sound."""
    told, text, interactions = recorded(folder, name)
    assert "never saw" not in told
    assert "sk-" not in text
    assert {i["kind"] for i in interactions} == {"message"}
    assert [i["at_s"] for i in interactions] == sorted(i["at_s"] for i in interactions)
    assert {each["delta"] for each in received(interactions, "response.output_audio.delta")} <= {record_live.KEPT_AUDIO}


def test_truncation(folder):
    """There are truncations that are taken and such that are refused."""
    *_, interactions = recorded(folder, "truncate")
    assert [each["audio_end_ms"] for each in received(interactions, "conversation.item.truncated")][:2] == [500, 400]
    assert len(received(interactions, "error")) >= 4


def test_cancelling(folder):
    """Three responses are cancelled, and two cancels find nothing."""
    *_, interactions = recorded(folder, "cancel")
    assert [done["response"]["status"] for done in received(interactions, "response.done")] == ["cancelled"] * 3
    assert [each["error"]["code"] for each in received(interactions, "error")] == ["response_cancel_not_active"] * 2


def test_barge_in(folder):
    """The user's speech cuts the first answer off, and gets the second."""
    *_, interactions = recorded(folder, "barge_in")
    dones = [done["response"] for done in received(interactions, "response.done")]
    assert [(done["status"], (done["status_details"] or {}).get("reason")) for done in dones] == [
        ("cancelled", "turn_detected"),
        ("completed", None),
    ]
    sent = sum(i.get("audio_bytes", 0) for i in interactions if i["direction"] == "sent")
    assert sent > 2 * 48_000


def test_refusals(folder):
    """What is refused is refused under the name that it bears."""
    *_, interactions = recorded(folder, "errors")
    names = {each["error"]["event_id"] for each in received(interactions, "error")}
    assert {"unknown_type", "commit_too_little", "voice_after_speech", "delete_unknown", "second_response"} <= names


def test_mcp(folder):
    """A tool is called with approval, not called without, and called where none is asked for."""
    *_, interactions = recorded(folder, "mcp")
    assert len(received(interactions, "response.mcp_call.completed")) == 2
    items = [each["item"]["type"] for each in received(interactions, "response.output_item.done")]
    assert items.count("mcp_approval_request") == 2


def test_no_key(monkeypatch):
    """Without a key it is one sentence."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SystemExit, match=r"^OPENAI_API_KEY is not set: [^.]*\.$"):
        record_live.main([])


def test_never_in_ci(monkeypatch):
    """In CI it refuses, key or no key."""
    monkeypatch.setenv("CI", "1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(SystemExit, match="never recorded in CI"):
        record_live.main([])


def test_secrets_are_taken_out():
    """The key, other keys, and what is in fields that hold secrets."""
    event = {"type": "x", "tools": [{"authorization": "abc", "headers": {"A": "b"}, "url": f"http://x/?k={KEY}"}]}
    scrubbed = {"authorization": "<secret>", "headers": "<secret>", "url": "http://x/?k=<secret>"}
    assert record_live.without_secrets(event, KEY) == {"type": "x", "tools": [scrubbed]}
