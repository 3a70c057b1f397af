"""A server that lies about times: what was heard is what sounded here, and nothing breaks."""

import asyncio
from functools import cache

import numpy as np
import pytest

from exchange import texts
from made_events import made, spoken_answer, spoken_end
from openai_realtime_api_utils import MemoryStore
from openai_realtime_api_utils.state.conversation import Conversation, apply, apply_client
from openai_realtime_api_utils.state.stored import Stored
from simulated import loud, quiet
from talking import HEARS, STORY, spoken

MISSING = object()
LIES = [-1, -(10**9), 10**9, 10**400, "soon", "7000", 0.5, None, [700], {"ms": 700}, MISSING]
TRUNCATE = {"type": "conversation.item.truncate", "item_id": "A", "content_index": 0, "audio_end_ms": 1000}
TEXT = "Once upon a time there was a king."
HEARD = "Once upon a time"


def named(lie):
    """Return how a test is called, which has to be the same in every process."""
    return "missing" if lie is MISSING else repr(lie)


def truncated(end_ms):
    """Return the server's event on item A."""
    told = {} if end_ms is MISSING else {"audio_end_ms": end_ms}
    return made("conversation.item.truncated", item_id="A", content_index=0, **told)


def conversation():
    """Return a replica in which two seconds were spoken."""
    silence = "A" * (64_000 * 2)  # base64 of 24,000 samples of 2 bytes a second
    known = Conversation()
    for event in (*spoken_answer("r", "A", None, TEXT, audio=silence), *spoken_end("r", "A", TEXT)):
        apply(known, event)
    return known


@pytest.mark.parametrize("lie", LIES, ids=named)
def test_a_truncation_is_never_later_than_it_was_asked_for(lie):
    """What the client asked for stands, for it knows what sounded."""
    known = conversation()
    apply_client(known, TRUNCATE)
    apply(known, truncated(lie))
    assert (1000, HEARD) == (known.item("A").truncated_ms, known.item("A").heard_text)


def test_a_truncation_that_is_earlier_than_it_was_asked_for_is_believed():
    """The server forgets so much: the model does not know that it said more."""
    known = conversation()
    apply_client(known, TRUNCATE)
    apply(known, truncated(0))
    assert (0, "") == (known.item("A").truncated_ms, known.item("A").heard_text)


@pytest.mark.parametrize("lie", LIES, ids=named)
def test_a_truncation_that_nobody_asked_for_cuts_nothing_by_a_lie(lie):
    """Nor does it undo one that was told before."""
    known = conversation()
    apply(known, truncated(lie))
    assert TEXT == known.item("A").heard_text
    apply(known, truncated(1000))
    apply(known, truncated(lie))
    assert HEARD == known.item("A").heard_text


@cache
def interrupted(lie):
    """Interrupt a story by voice, lose the connection, and say something more; return what came of it.

    Returns:
        What was sent of the story's truncation; the words of it that were heard; those that the next session was
        given; and those that the store holds.
    """

    def change(event):
        for name in ("audio_start_ms", "audio_end_ms"):
            if name in event and lie != "honest":
                event = {key: value for key, value in event.items() if key != name}
                event |= {} if lie == "missing" else {name: lie}
        return event

    store = MemoryStore()

    async def program(talk, engine, exchange, user):
        async with talk.held(*user.hooked, heard=user.player, store=store):
            await talk.send({"type": "session.update", "session": HEARS})
            await talk.send({"type": "response.create"})
            await talk.wait(3)
            user.microphone.say(np.concatenate((loud(1), quiet(60))))
            await talk.events.until("response.done", 2)
            await talk.wait(5)
            exchange.drop()
            await talk.events.until("local.session_replaced")
            user.microphone.say(np.concatenate((loud(1), quiet(60))))
            await talk.events.until("response.done", 3)
            await talk.wait(5)
            errors = [event.error.message for event in talk.events.of("error")]
            return talk.conversation.items, exchange.received[0], engine.turns[-1].items, errors

    items, sent, given, errors = spoken(program, [STORY * 8, "All right.", "Yes."], ["stop", "and on"], change=change)
    cuts = [event["audio_end_ms"] for event in sent if event["type"] == "conversation.item.truncate"]
    stored = asyncio.run(store.load())
    assert [] == errors
    assert ["stop", "All right.", "and on", "Yes."] == [item.text for item in items[1:]]
    return cuts, items[0].heard_text, texts(given), texts(Stored(stored).items)


@pytest.mark.parametrize("lie", [-1, 0, 10**9, 10**400, "soon", 0.5, None, "missing"], ids=repr)
def test_an_interruption_and_what_is_restored_of_it_go_by_what_sounded(lie):
    """Wherever the server says that speech began, ended or was cut."""
    cuts, heard, given, stored = interrupted("honest")
    assert 1 == len(cuts)
    assert 0 < len(heard) < len(STORY * 8)
    assert heard == given[0] == stored[0]
    assert (cuts, heard, given, stored) == interrupted(lie)
