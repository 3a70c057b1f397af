"""Every kind of session can be resumed, and servers that speak a dialect."""

import numpy as np
import pytest

from exchange import said, texts
from fakes import closed_by_server
from simulated import loud, quiet
from talking import HEARS, STORY, TEXT, by_hand, created, run, settled, spoken


def test_a_sideband_is_connected_again_and_given_nothing():
    """Its session lives on with the call: it has its configuration and its items."""

    async def program(talk, service):
        async with talk.held():
            await talk.send({"type": "session.update", "session": TEXT})
            service.answer(type="session.updated", session={**TEXT, "id": "sess_call"})
            await talk.send(said("item_1", "Hello."))
            service.answer(type="conversation.item.added", item=said("item_1", "Hello.")["item"], previous_item_id=None)
            await settled(talk)
            service.connections[0].inbox.put_nowait(closed_by_server(1011))
            replaced = await talk.events.until("local.session_replaced")
            await talk.send({"type": "response.create"})
            await settled(talk)
            return service, replaced

    service, replaced = by_hand(program)
    assert ["response.create"] == [event["type"] for event in service.connections[1].sent]
    assert ("sess_call", "sess_call") == (replaced.old_session_id, replaced.new_session_id)


def test_a_transcription_session_gets_its_configuration():
    """And nothing else: there is no conversation to answer from."""
    config = {"type": "transcription", "audio": {"input": {"transcription": {"model": "gpt-live-transcribe"}}}}

    async def program(talk, service):
        async with talk.held():
            await talk.send({"type": "session.update", "session": config})
            service.answer(type="session.updated", session=config)
            await settled(talk)
            service.connections[0].inbox.put_nowait(closed_by_server(1001))
            await talk.wait(0.05)
            service.answer(type="session.updated", session={**config, "id": "sess_2"})
            replaced = await talk.events.until("local.session_replaced")
            return service, replaced, talk.config.session_type

    service, replaced, kind = by_hand(program, created("transcription"))
    (update,) = service.connections[1].sent
    assert ("session.update", config) == (update["type"], update["session"])
    assert ("sess_2", "transcription") == (replaced.new_session_id, kind)


def test_a_translation_is_rotated_and_finishes_what_it_says():
    """The old session is told to close, and what it still says is handed out; then the new one goes on."""
    session = {"audio": {"output": {"language": "fr"}}}

    async def program(talk, service):
        async with talk.held(Deltas(), rollover_s=50, dead_after_s=1e6):
            await talk.send({"type": "session.update", "session": session})
            service.answer(type="session.updated", session={**session, "type": "translation"})
            await talk.wait(50)
            await talk.wait(0.05)
            service.answer(type="session.updated", session={**session, "type": "translation"})
            await talk.wait(30)
            await talk.send({"type": "session.input_audio_buffer.append", "audio": "AAAA"})
            await settled(talk)
            old = service.connections[0]
            old.inbox.put_nowait({"type": "session.output_transcript.delta", "delta": "la fin"})
            old.inbox.put_nowait({"type": "session.closed"})
            await talk.wait(1)
            return talk, service

    heard = []

    class Deltas:
        def server_event_handler(self, event, metadata, _connection):
            if event.type == "session.output_transcript.delta":
                heard.append(event.delta)
            return event, metadata

    talk, service = by_hand(program, created("translation"))
    first, second = ([event["type"] for event in connection.sent] for connection in service.connections[:2])
    assert (["session.update", "session.close"], ["la fin"]) == ([first[0], first[-1]], heard)
    assert ["session.update", "session.input_audio_buffer.append"] == [t for t in second if t != "x"][:2]
    assert [] == talk.events.of("session.closed")


def beta(event):
    """Speak as the beta did: one event for a new item, under another name."""
    if event["type"] == "conversation.item.added":
        return {**event, "type": "conversation.item.created"}
    return None if event["type"] == "conversation.item.done" else event


def silent(event):
    """Be a server that says nothing of items that a client creates but that they are done."""
    return None if event["type"] == "conversation.item.added" else event


@pytest.mark.parametrize("dialect", [beta, silent])
def test_a_dialect(dialect):
    """Other names, and fewer events, are understood."""

    async def program(talk, engine, exchange):
        async with talk.held():
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.turn("One.", "item_1")
            exchange.drop(1011)
            await talk.events.until("local.session_replaced")
            await talk.turn("Two.")
            return talk, engine.turns[-1]

    talk, turn = run(program, ["1", "2"], change=dialect)
    assert ["One.", "1", "Two."] == texts(turn.items)
    assert ["One.", "1", "Two.", "2"] == [item.text for item in talk.conversation.items]


def test_a_server_that_insists_on_its_own_ids():
    """Handlers go on seeing the ids they know, and the server is told its own."""

    def change_sent(event):
        if event["type"] == "conversation.item.create":
            return {**event, "item": {k: v for k, v in event["item"].items() if k != "id"}}
        return event

    async def program(talk, engine, exchange):
        async with talk.held():
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.turn("One.")
            first = talk.conversation.items[0].id
            exchange.drop(1011)
            await talk.events.until("local.session_replaced")
            await talk.send({"type": "conversation.item.delete", "item_id": first})
            deleted = await talk.events.until("conversation.item.deleted")
            await talk.turn("Two.")
            return talk, engine.turns[-1], first, deleted, exchange

    talk, turn, first, deleted, exchange = run(program, ["1", "2"], change_sent=change_sent)
    assert ["1", "Two."] == texts(turn.items)
    assert first == deleted.item_id
    assert [] == talk.events.of("error")
    (sent,) = [e for e in exchange.received[1] if e["type"] == "conversation.item.delete"]
    assert first != sent["item_id"]


def test_a_server_without_truncate():
    """An interruption replaces the item instead; nothing is logged as refused."""

    def change_sent(event):
        if event["type"] == "conversation.item.truncate":
            return {**event, "type": "unheard.of"}
        return event

    async def program(talk, engine, exchange, user):
        async with talk.held(*user.hooked, heard=user.player):
            await talk.send({"type": "session.update", "session": HEARS})
            await talk.send({"type": "response.create"})
            await talk.wait(5)
            user.microphone.say(np.concatenate((loud(1), quiet(60))))
            await talk.events.until("response.done", 2)
            await talk.wait(5)
            return talk, engine

    talk, _ = spoken(program, [STORY * 8, "All right."], ["stop"], change_sent=change_sent)
    story = talk.conversation.items[0]
    assert 0 < len(story.heard_text) < len(STORY * 8)
    assert [] == talk.events.of("error")
    assert 1 == len(talk.events.of("conversation.item.truncated"))


def test_a_refused_item_is_tried_in_its_other_shape():
    """An MCP call that the server does not take returns as a line of text, at its place."""
    call = {
        "id": "item_m",
        "type": "mcp_call",
        "server_label": "docs",
        "name": "find",
        "arguments": "{}",
        "output": "42",
    }

    async def program(talk, service):
        async with talk.held():
            for item in (said("item_1", "One.")["item"], call, said("item_2", "Two.")["item"]):
                service.answer(type="conversation.item.added", item=item)
                service.answer(type="conversation.item.done", item={**item, "status": "completed"})
            await settled(talk)
            service.connections[0].inbox.put_nowait(closed_by_server(1011))
            await talk.wait(0.05)
            first, refused, second = service.connections[1].sent
            for create in (first, second):
                service.answer(type="conversation.item.added", item=create["item"])
            error = {"type": "invalid_request_error", "code": "invalid_value", "event_id": refused["event_id"]}
            service.answer(type="error", error={**error, "message": "no", "param": "item.type"})
            await settled(talk)
            again = service.connections[1].sent[-1]
            service.answer(type="conversation.item.added", item=again["item"])
            await talk.events.until("local.session_replaced")
            return talk, again

    talk, again = by_hand(program, created())
    assert ("item_1", "system") == (again["previous_item_id"], again["item"]["role"])
    assert "docs.find" in again["item"]["content"][0]["text"]
    assert [] == talk.events.of("error")


def test_what_does_not_fit_is_left_out_or_summarised():
    """The oldest items go; a summary stands for them where somebody makes one."""

    async def summarise(items):
        return f"{len(items)} items about nothing"

    async def program(talk, engine, exchange):
        async with talk.held(max_tokens=200, summarise=summarise):
            await talk.send({"type": "session.update", "session": TEXT})
            for n in range(10):
                await talk.turn(f"This is question number {n} of the ten.")
            exchange.drop(1011)
            await talk.events.until("local.session_replaced")
            await talk.turn("The last.")
            return talk, engine.turns[-1]

    talk, turn = run(program, [f"Answer {n}." for n in range(11)])
    told = texts(turn.items)
    assert "items about nothing" in told[0]
    assert ("The last.", "Answer 9.") == (told[-1], told[-2])
    assert 4 < len(told) < 20
    assert 22 == len(talk.conversation.items)
