"""A session is left before it ends, at a moment at which nobody notices."""

import base64

import numpy as np

from exchange import said, texts
from openai_realtime_api_utils.simulator.scripted import Wait
from simulated import loud, quiet
from talking import HEARS, STORY, TEXT, run, spoken


def test_a_session_is_left_at_a_quiet_moment():
    """The next session takes over before the old one ends; the conversation goes on, and the old one is closed."""

    async def program(talk, engine, exchange):
        async with talk.held():
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.turn("One.", "item_1")
            await talk.wait(130)
            replaced = talk.events.of("local.session_replaced")
            await talk.turn("Two.")
            return talk, engine.turns[-1], replaced, exchange

    talk, turn, replaced, exchange = run(program, ["1", "2"], lifetime_s=120)
    assert ["One.", "1", "Two."] == texts(turn.items)
    assert ["rotation"] == [frame.reason for frame in replaced]
    assert exchange.connections[0]._connection._link.is_over
    assert 78 < exchange.opened[1] < 100
    assert [] == talk.events.of("error")
    assert ["rotating", "rotated"] == [change.kind for change in talk.changes]


def test_rollover_s_is_kept():
    """A user may want it earlier."""

    async def program(talk, engine, exchange):
        async with talk.held(rollover_s=50):
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.wait(120)
            return exchange.opened

    assert [0, 50, 100] == [round(t) for t in run(program)]


def test_an_hour_and_a_day():
    """Twenty-five sessions, one conversation; each holds all of it."""

    async def program(talk, engine, exchange):
        async with talk.held():
            await talk.send({"type": "session.update", "session": TEXT})
            for n in range(24):
                await talk.turn(f"Question {n}.")
                await talk.wait(3600)
            await talk.turn("The last.")
            return talk, engine.turns[-1], exchange

    talk, turn, exchange = run(program, [f"Answer {n}." for n in range(25)])
    assert [text for n in range(24) for text in (f"Question {n}.", f"Answer {n}.")] + ["The last."] == texts(turn.items)
    assert 50 == len(talk.conversation.items)
    assert 25 <= len(exchange.connections) <= 28
    assert [] == talk.events.of("error")


def appended(events):
    """Return the bytes of sound that a session received."""
    return b"".join(base64.b64decode(e["audio"]) for e in events if e["type"] == "input_audio_buffer.append")


def test_a_forced_rotation_loses_no_sample():
    """When a session ends in the middle of a long answer, all of it sounds, and all that the user said arrives."""

    async def program(talk, engine, exchange, user):
        async with talk.held(*user.hooked, heard=user.player):
            user.microphone.say(quiet(300))
            await talk.wait(78)
            await talk.send({"type": "response.create"})
            done = await talk.events.until("response.done")
            at_end = talk.clock.now()
            await talk.wait(100)
            (item,) = talk.conversation.items
            heard = user.player.heard(item.id)
            await talk.send({"type": "response.create"})
            await talk.events.until("response.done", 2)
            return talk, engine, exchange, user, done, at_end, item, heard

    story = [piece for _ in range(7) for piece in (STORY * 2, Wait(4))]
    talk, engine, exchange, user, done, at_end, item, heard = spoken(program, [story, "Indeed."], lifetime_s=120)
    (replaced,) = talk.events.of("local.session_replaced")[:1]
    assert "completed" == done.response.status
    assert 100 < at_end < 120
    assert "rotation" == replaced.reason
    assert (STORY * 14).split() == item.text.split()
    assert heard == round(item.audio_ms)
    assert (item.text, 1) == (texts(engine.turns[-1].items)[0], len(engine.turns[-1].items))
    got = [len(appended(events)) for events in exchange.received]
    assert got[0] > 90 * 48_000
    assert sum(got) >= (talk.clock.now() - 0.1) * 48_000
    assert [] == talk.events.of("error")
    assert 0 == user.mic.lost


def test_nobody_is_cut_off_while_speaking():
    """A user who speaks when the session could be left goes on in the same session; the turn is answered."""

    async def program(talk, engine, exchange, user):
        async with talk.held(*user.hooked, heard=user.player):
            await talk.send({"type": "session.update", "session": HEARS})
            user.microphone.say(np.concatenate((quiet(78), loud(3), quiet(60))))
            await talk.events.until("response.done")
            await talk.wait(20)
            return talk, exchange

    talk, exchange = spoken(program, ["Yes."], ["a long question"], lifetime_s=120)
    committed = [sum(e["type"] == "input_audio_buffer.committed" for e in sent) for sent in exchange.sent]
    assert [1, 0] == committed[:2]
    assert ["a long question", "Yes."] == [item.text for item in talk.conversation.items]
    assert "conversation.item.create" in exchange.received_types(1)


def test_barging_into_the_old_session_stops_it():
    """While the old session finishes its answer, the new one hears the user; the answer stops and keeps its place."""

    async def program(talk, engine, exchange, user):
        async with talk.held(*user.hooked, heard=user.player):
            await talk.send({"type": "session.update", "session": HEARS})
            user.microphone.say(np.concatenate((quiet(101), loud(1), quiet(60))))
            await talk.wait(78)
            await talk.send({"type": "response.create"})
            await talk.events.until("response.done", 2)
            await talk.wait(10)
            await talk.turn("Go on.")
            return talk, engine, exchange

    story = [piece for _ in range(7) for piece in (STORY * 2, Wait(4))]
    talk, engine, exchange = spoken(program, [story, "All right.", "I go on."], ["stop"], lifetime_s=120)
    assert ["cancelled", "completed", "completed"] == [e.response.status for e in talk.events.of("response.done")]
    first, stop, *_ = talk.conversation.items
    assert ("assistant", "stop") == (first.role, stop.text)
    assert 0 < len(first.heard_text) < len(first.text)
    assert "response.cancel" in exchange.received_types(0)
    assert [first.heard_text, "stop", "All right.", "Go on."] == texts(engine.turns[-1].items)
    assert [] == [e.error.message for e in talk.events.of("error")]


def test_an_old_session_that_dies_while_it_still_answers_is_let_go():
    """Nobody waits for it for ever: its answer ends, and what waited for that end goes to the next session."""

    async def program(talk, engine, exchange):
        async with talk.held(dead_after_s=8):
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.wait(78)
            await talk.send({"type": "response.create"})
            await talk.events.until("local.session_replaced")
            exchange.stalled = 1
            await talk.send(said("item_late", "Are you there?"))
            await talk.events.until("response.done")
            await talk.wait(20)
            return talk, exchange

    story = [piece for _ in range(7) for piece in (STORY * 2, Wait(4))]
    talk, exchange = run(program, [story, "Yes."], lifetime_s=120)
    assert "failed" == talk.events.of("response.done")[0].response.status
    assert ["item_late"] == [e["item"]["id"] for e in exchange.received[1] if e["type"].endswith("item.create")][-1:]


def test_a_rotation_that_fails_is_tried_again():
    """A server that refuses the next session for a while costs nothing."""

    async def program(talk, engine, exchange):
        async with talk.held(rollover_s=50):
            await talk.send({"type": "session.update", "session": TEXT})
            exchange.refusals = [ConnectionRefusedError("busy")] * 2
            await talk.wait(120)
            await talk.turn("Still there?")
            return talk

    talk = run(program, ["Yes."])
    assert ["rotation_failed"] * 2 == [c.kind for c in talk.changes if c.kind == "rotation_failed"]
    assert ["rotation"] == [frame.reason for frame in talk.events.of("local.session_replaced")]


def test_a_conversation_that_changes_while_the_next_session_waits_is_brought_up_to_date():
    """What is said between the preparation and the switch is in the next session, too."""

    async def program(talk, engine, exchange):
        async with talk.held(rollover_s=50):
            await talk.send({"type": "session.update", "session": TEXT})
            await talk.turn("One.")
            await talk.wait(49)
            await talk.send(said("item_2", "Two."))
            await talk.send({"type": "response.create"})  # answered slowly: no quiet moment
            await talk.events.until("response.done", 2)
            await talk.wait(10)
            await talk.turn("Three.")
            return talk, engine.turns[-1], exchange

    talk, turn, exchange = run(program, ["1", [Wait(10), "2"], "3"])
    assert 2 == len(exchange.connections)
    assert 1 == len(talk.events.of("local.session_replaced"))
    assert ["One.", "1", "Two.", "2", "Three."] == texts(turn.items)
