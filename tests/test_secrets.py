"""A run with a marked key leaves the key nowhere: not in logs, stores, recordings, reprs, errors or on the screen."""

import io
import logging
import traceback

import pytest
from openai import AsyncOpenAI

from openai_realtime_api_utils import (
    FileStore,
    GiveClientEventId,
    PrintEvents,
    SystemClock,
    TrackConfig,
    TrackConversation,
    hook_middlewares,
    resume,
)
from openai_realtime_api_utils.cli.talk.save import SaveSession
from openai_realtime_api_utils.simulator import ScriptedEngine, Settings, serve

KEY = "sk-proj-MARKEDmarkedMARKEDmarked0123456789"
EPHEMERAL = "ek_MARKEDmarkedMARKEDmarked0123456789"
MARK = "MARKEDmarked"
TOOL = {
    "type": "mcp",
    "server_label": "docs",
    "server_url": "https://example.com/mcp",
    "authorization": f"Bearer {KEY}",
}


async def test_a_run_leaves_no_key_behind(tmp_path, caplog):
    """A turn, a drop, a refusal that names the key, and a crash: nothing that is left behind holds the key."""
    caplog.set_level(logging.DEBUG, "openai_realtime_api_utils")
    printed, shown = io.StringIO(), []
    config, talk = TrackConfig(), TrackConversation()
    save = SaveSession(tmp_path / "saved", SystemClock())
    everything = PrintEvents(printed, filter_server=lambda event: True, filter_client=lambda event: True)
    engine = ScriptedEngine(replies={"": "Yes."})
    real = []
    with save:
        async with (
            serve(lambda: engine, settings=Settings(api_keys=frozenset({KEY}))) as server,
            AsyncOpenAI(api_key=KEY, websocket_base_url=server.url) as client,
        ):

            def connect():
                manager = client.realtime.connect(model="gpt-realtime-2.1")
                real.append(manager)
                return manager

            store = FileStore(tmp_path / "talk.jsonl")
            with pytest.raises(ZeroDivisionError) as caught:
                async with resume(connect, conversation=talk, config=config, store=store) as connection:
                    middlewares = [GiveClientEventId(), config, talk, save, everything]
                    async with hook_middlewares(connection, middlewares) as session:
                        tools = {"type": "realtime", "output_modalities": ["text"], "tools": [TOOL]}
                        await session.send({"type": "session.update", "session": tools})
                        await session.send({"type": "session.update", "session": {"type": "realtime", "voice": KEY}})
                        text = {"type": "input_text", "text": f"Is {EPHEMERAL} good?"}
                        item = {"type": "message", "role": "user", "content": [text]}
                        await session.send({"type": "conversation.item.create", "item": item})
                        await session.send({"type": "response.create"})
                        while not talk.items or talk.items[-1].text != "Yes.":
                            await connection._connection._sessions.news.wait()
                            await SystemClock().sleep_until(SystemClock().now() + 0.01)
                        shown += [
                            repr(x) for x in (connection, config, config.state, talk, store, session, *middlewares)
                        ]
                        shown.append(repr(connection._connection))
                        raise ZeroDivisionError
            shown += traceback.format_exception(caught.value)
    for record in caplog.records:
        shown += [record.getMessage(), *map(str, record.args or ())]
    assert MARK not in "\n".join(shown)
    assert MARK not in printed.getvalue()
    for path in (p for p in tmp_path.rglob("*") if p.is_file()):
        kept = path.read_text(errors="replace")
        assert KEY not in kept, path
        assert path.name == "talk.jsonl" or EPHEMERAL not in kept  # a store keeps what was said as it was said


async def test_a_refused_key_is_not_repeated(caplog):
    """The service quotes the key in its refusal; what is raised and logged does not."""
    config, talk = TrackConfig(), TrackConversation()
    settings = Settings(api_keys=frozenset({"other"}))
    async with (
        serve(ScriptedEngine, settings=settings) as server,
        AsyncOpenAI(api_key=KEY, websocket_base_url=server.url) as client,
    ):
        with pytest.raises(Exception, match="3000") as caught:
            async with resume(
                lambda: client.realtime.connect(model="gpt-realtime-2.1"), conversation=talk, config=config
            ) as connection:
                async with hook_middlewares(connection, [config, talk]) as session:
                    await session.closed
    assert MARK not in "".join(traceback.format_exception(caught.value))
    assert MARK not in caplog.text
