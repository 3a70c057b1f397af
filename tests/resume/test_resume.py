"""A conversation outlives its connections."""

import pytest

from exchange import said, texts
from openai_realtime_api_utils.errors import ResumeError
from talking import TEXT, run


def test_a_drop_between_turns_costs_nothing():
    """The next session holds the configuration and every item under its id, and the next turn is answered."""

    async def program(talk, engine, exchange):
        async with talk.held():
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.turn("What is the capital of France?", "item_question")
            exchange.drop(1011)
            await talk.events.until("local.session_replaced")
            await talk.turn("And of Spain?")
            ids = [item.id for item in talk.conversation.items]
            return talk, engine.turns[-1], ids, exchange

    talk, turn, ids, exchange = run(program, ["Paris.", "Madrid."])
    assert ["What is the capital of France?", "Paris.", "And of Spain?"] == texts(turn.items)
    assert ids[:3] == [item["id"] for item in turn.items]
    assert ("Be brief.", "text") == (turn.instructions, turn.modality)
    assert ["user", "assistant", "user", "assistant"] == [item.role for item in talk.conversation.items]
    assert ["session.update", "conversation.item.create", "conversation.item.create"] == exchange.received_types()[:3]


def test_handlers_see_one_frame_and_no_echo():
    """Of how a session is prepared nothing is seen but ``local.session_replaced``."""

    async def program(talk, engine, exchange):
        async with talk.held():
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.turn("Hello.")
            seen = len(talk.events.events)
            first = talk.config.session_config.id
            exchange.drop(1006)
            replaced = await talk.events.until("local.session_replaced")
            await talk.wait(5)
            return talk, [event.type for event in talk.events.events[seen:]], replaced, first

    talk, seen, replaced, first = run(program, ["Hi."])
    assert ["local.session_replaced"] == seen
    assert ("connection_lost", first) == (replaced.reason, replaced.old_session_id)
    assert replaced.new_session_id not in (None, first)
    assert 0 <= replaced.gap_ms < 1000
    assert replaced.new_session_id == talk.config.session_config.id
    assert ["lost", "waiting", "restored"] == [change.kind for change in talk.changes]


def test_a_lost_answer_is_asked_for_again():
    """The open response fails with ``connection_lost``, before the frame; the answer then comes in the new session."""

    async def program(talk, engine, exchange):
        async with talk.held():
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.send(said("item_question", "Tell me."))
            await talk.send({"type": "response.create", "response": {"instructions": "In a whisper."}})
            await talk.events.until("response.output_item.added")
            exchange.drop(1012)
            failed = await talk.events.until("response.done")
            order = [event.type for event in talk.events.events]
            done = await talk.events.until("response.done", 2)
            return talk, engine, failed, order, done

    talk, engine, failed, order, done = run(program, ["It was lost. " * 20, "It was not."])
    assert ("failed", "connection_lost") == (failed.response.status, failed.response.status_details.error.code)
    assert "local.session_replaced" not in order
    assert "completed" == done.response.status
    assert ["In a whisper."] * 2 == [turn.instructions for turn in engine.turns]
    assert "It was not." == talk.conversation.items[-1].text
    assert {} == talk.conversation.open_responses


def test_an_answer_is_asked_for_again_only_once():
    """A connection that breaks at every answer does not go round in circles."""

    def cut(event):
        return 1011 if event["type"] == "response.content_part.added" else None

    async def program(talk, engine, exchange):
        async with talk.held():
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.send(said("item_question", "Tell me."))
            await talk.send({"type": "response.create"})
            await talk.wait(60)
            return engine, exchange

    engine, exchange = run(program, ["One.", "Two.", "Three."], cut=cut)
    assert (2, 3) == (len(engine.turns), len(exchange.connections))


def test_what_was_sent_during_the_gap_arrives():
    """Events of the gap, and those that the old session never answered, reach the new one in order."""

    async def program(talk, engine, exchange):
        async with talk.held():
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.turn("One.", "item_1")
            exchange.refusals = [ConnectionRefusedError("nobody there")] * 3
            exchange.drop(1006)
            await talk.wait(0.05)
            await talk.send(said("item_2", "Two."))
            await talk.send(said("item_3", "Three."))
            await talk.send({"type": "response.create"})
            await talk.events.until("response.done", 2)
            return engine.turns[-1], [change.wait_s for change in talk.changes if change.kind == "waiting"]

    turn, waits = run(program, ["1", "2"])
    assert ["One.", "1", "Two.", "Three."] == texts(turn.items)
    assert [0.0, 0.1875, 0.375, 0.75] == waits


@pytest.mark.parametrize(
    ("code", "reason"),
    [(3000, "invalid_request_error.invalid_api_key"), (1008, "policy"), (1011, "insufficient_quota")],
)
def test_a_refusal_of_the_client_is_final(code, reason):
    """A bad key, an unknown model or no quota is told at once, with its code."""

    async def program(talk, engine, exchange):
        with pytest.raises(Exception, match=str(code)) as caught:
            async with talk.held() as session:
                await talk.turn("Hello.")
                exchange.drop(code, reason)
                await session.closed
        return caught.value, exchange

    error, exchange = run(program, ["Hi."])
    assert code == error.code
    assert 1 == len(exchange.connections)


def test_it_gives_up_in_the_end():
    """After the given number of attempts ``ResumeError`` says what the last one met."""

    async def program(talk, engine, exchange):
        with pytest.raises(ResumeError, match="nobody there") as caught:
            async with talk.held(attempts=3) as session:
                await talk.turn("Hello.")
                exchange.refusals = [ConnectionRefusedError("nobody there")] * 9
                exchange.drop(1006)
                await session.closed
        return caught.value, exchange, talk

    error, exchange, talk = run(program, ["Hi."])
    assert 1006 == error.code
    assert 6 == len(exchange.refusals)
    assert "gave_up" == talk.changes[-1].kind


def test_it_gives_up_by_its_deadline():
    """However many attempts are left, and not before they were tried for most of the time."""

    async def program(talk, engine, exchange):
        with pytest.raises(ResumeError):
            async with talk.held(attempts=1_000, give_up_s=20) as session:
                await talk.turn("Hello.")
                exchange.refusals = [ConnectionRefusedError("nobody there")] * 1_000
                exchange.drop(1006)
                lost_at = talk.clock.now()
                await session.closed
        return talk.clock.now() - lost_at, 1_000 - len(exchange.refusals)

    tried_s, tried = run(program, ["Hi."])
    assert 10 <= tried_s <= 20
    assert 5 <= tried <= 20


def test_our_own_close_ends_it():
    """``close()`` closes the session, and ``keep_receiving`` returns."""

    async def program(talk, engine, exchange):
        async with talk.held() as session:
            await talk.turn("Hello.")
            await talk.connection.close()
            await session.closed
        return exchange

    exchange = run(program, ["Hi."])
    assert 1 == len(exchange.connections)
    assert exchange.connections[0]._connection._link.is_over


def test_the_first_connection_is_not_tried_twice():
    """A program that never was connected is told so at once."""

    async def program(talk, engine, exchange):
        exchange.refusals = [ConnectionRefusedError("nobody there")]
        with pytest.raises(ConnectionRefusedError):
            async with talk.held():
                pass

    run(program)


def test_the_sdk_methods_work():
    """The resources of the SDK's connection send through it, and it can be iterated."""

    async def program(talk, engine, exchange):
        async with talk.held():
            await talk.connection.session.update(session=TEXT)
            await talk.connection.conversation.item.create(item=said(None, "Hello.")["item"])
            await talk.connection.response.create()
            return await talk.events.until("response.done")

    assert "completed" == run(program, ["Hi."]).response.status
