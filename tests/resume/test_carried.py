"""What a new session is told of the old one: the configuration that was asked for, and the items that can be told."""

import os
import ssl

import pytest
from openai import AsyncOpenAI

from certificates import make_certificate
from exchange import said
from openai_realtime_api_utils import FileStore, SystemClock
from openai_realtime_api_utils.simulator import ScriptedEngine, serve
from openai_realtime_api_utils.state.stored import record
from openai_realtime_api_utils.state.usage import Usage, add
from talking import TEXT, Talk, run

IMAGE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"


def test_the_configuration_is_what_was_asked_for_and_not_refused():
    """Merged in order, with what the server never says again, and without what only the server says."""
    updates = [
        {"type": "realtime", "output_modalities": ["text"], "instructions": "A", "reasoning": {"effort": "low"}},
        {"type": "realtime", "audio": {"input": {"turn_detection": None}}, "parallel_tool_calls": False},
        {"type": "realtime", "instructions": "C", "output_modalities": ["smell"]},
        {"type": "realtime", "instructions": "B"},
    ]

    async def program(talk, engine, exchange):
        async with talk.held():
            for update in updates:
                await talk.send({"type": "session.update", "session": update})
            await talk.turn("Hello.")
            exchange.drop()
            await talk.events.until("local.session_replaced")
            return talk, exchange

    talk, exchange = run(program, ["Hi."])
    assert 1 == len(talk.events.of("error"))
    configured, *_ = exchange.received[1]
    assert configured["session"] == {
        "type": "realtime",
        "output_modalities": ["text"],
        "instructions": "B",
        "reasoning": {"effort": "low"},
        "parallel_tool_calls": False,
        "audio": {"input": {"turn_detection": None}},
    }


def test_images_and_what_the_system_said_are_carried():
    """As they were given, in their order."""
    look = {
        "id": "item_look",
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": "What is this?"},
            {"type": "input_image", "image_url": IMAGE, "detail": "high"},
        ],
    }
    rule = said("item_rule", "Be kind.", role="system")["item"]

    async def program(talk, engine, exchange):
        async with talk.held():
            await talk.send({"type": "session.update", "session": TEXT})
            for item in (rule, look):
                await talk.send({"type": "conversation.item.create", "item": item})
            await talk.send({"type": "response.create"})
            await talk.events.until("response.done")
            exchange.drop()
            await talk.events.until("local.session_replaced")
            return exchange

    exchange = run(program, ["A dot."])
    given = [event["item"] for event in exchange.received[1] if event["type"] == "conversation.item.create"]
    assert [rule, look] == given[:2]
    assert ["system", "user", "assistant"] == [item["role"] for item in given]


def test_usage_adds_up_over_sessions():
    """What every session said of itself, the one that was lost included; priming costs nothing that is told."""
    counted = [Usage()]

    class Count:
        def server_event_handler(self, event, metadata, _connection):
            counted[0] = add(counted[0], event)
            return event, metadata

    async def program(talk, engine, exchange):
        async with talk.held(Count()):
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.turn("One.")
            exchange.drop()
            await talk.events.until("local.session_replaced")
            await talk.turn("Two.")
            return exchange

    exchange = run(program, ["First.", "Second."])
    done = [[e["response"]["usage"] for e in sent if e["type"] == "response.done"] for sent in exchange.sent]
    assert [1, 1] == [len(told) for told in done]
    assert 2 == counted[0].responses
    assert sum(told["output_tokens"] for (told,) in done) == counted[0].output_tokens
    assert sum(told["input_tokens"] for (told,) in done) == counted[0].input_tokens


@pytest.mark.parametrize(("policy", "synchronised"), [("turn", [0, 1]), ("always", [1, 2]), ("never", [0, 0])])
async def test_the_disk_is_waited_for_as_often_as_was_asked(tmp_path, monkeypatch, policy, synchronised):
    """Within a turn, and at its end."""
    calls, counts = [], []
    monkeypatch.setattr(os, "fsync", calls.append)
    store = FileStore(tmp_path / "talk.jsonl", fsync=policy)
    for is_turn_end in (False, True):
        await store.append([record("session", id="sess_1")], is_turn_end=is_turn_end)
        counts.append(len(calls))
    await store.close()
    assert synchronised == counts


async def test_a_server_that_cannot_prove_who_it_is_is_not_talked_to(tmp_path):
    """A certificate that nobody vouches for is refused, and not tried again."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(make_certificate(tmp_path))
    talk = Talk(None, SystemClock())
    async with serve(ScriptedEngine, tls=tls) as server:
        client = AsyncOpenAI(api_key="any", websocket_base_url=server.url)
        with pytest.raises(ssl.SSLCertVerificationError):
            async with client, talk.held(connect=lambda: client.realtime.connect(model="gpt-realtime-2.1")):
                raise AssertionError("it was talked to")
    assert [] == talk.changes
