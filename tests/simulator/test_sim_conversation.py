"""The service's record of the conversation: what clients add, look at, shorten and remove."""

import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.commands import Think, Understood
from openai_realtime_api_utils.simulator.engine import RATE
from openai_realtime_api_utils.simulator.settings import Settings
from simulated import Wire, loud, only, types, user_says

CREATE = {"type": "response.create"}


def ids(wire):
    return [entry.item["id"] for entry in wire.session.conversation.entries]


def named(item_id, **fields):
    event = user_says(item_id, **fields)
    return event | {"item": event["item"] | {"id": item_id}}


def test_item_comes_back_whole():
    """``added`` and ``done`` show the item completed, with an id, and without ``object``."""
    added, done = Wire().send(user_says("hello"))
    assert types([added, done]) == ["conversation.item.added", "conversation.item.done"]
    assert added["item"] == done["item"]
    assert added["item"] == {
        "id": added["item"]["id"],
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_text", "text": "hello"}],
    }
    assert added["item"]["id"].startswith("item_")
    assert len(added["item"]["id"]) == len("item_") + 21


def test_own_id_is_kept():
    """A client's id is used as it is."""
    assert Wire().send(named("mine"))[0]["item"]["id"] == "mine"


@pytest.mark.reported
@pytest.mark.parametrize(
    ("previous", "order", "shown"),
    [
        ({}, ["a", "b", "c"], "b"),
        ({"previous_item_id": None}, ["a", "b", "c"], "b"),
        ({"previous_item_id": ""}, ["a", "b", "c"], "b"),
        ({"previous_item_id": "root"}, ["c", "a", "b"], None),
        ({"previous_item_id": "a"}, ["a", "c", "b"], "a"),
    ],
)
def test_where_items_go(previous, order, shown):
    """``previous_item_id`` says after which item; absent and empty mean the end, ``root`` the beginning."""
    wire = Wire()
    wire.send(named("a"), named("b"))
    added, done = wire.send(named("c", **previous))
    assert ids(wire) == order
    assert added["previous_item_id"] == done["previous_item_id"] == shown


@pytest.mark.reported
def test_an_id_used_twice():
    """The second item is kept under the same id, and follows the first."""
    wire = Wire()
    wire.send(named("a"))
    assert wire.send(named("a"))[0]["previous_item_id"] == "a"
    assert ids(wire) == ["a", "a"]


@pytest.mark.reported
def test_delete_and_insert():
    """An item can take the place of a deleted one, which can no longer be retrieved."""
    wire = Wire()
    wire.send(named("a"), named("b"), named("c"))
    (deleted,) = wire.send({"type": "conversation.item.delete", "item_id": "b"})
    assert (deleted["type"], deleted["item_id"]) == ("conversation.item.deleted", "b")
    wire.send(named("d", previous_item_id="a"))
    assert ids(wire) == ["a", "d", "c"]
    (answer,) = wire.send({"type": "conversation.item.retrieve", "item_id": "b"})
    assert answer["error"]["code"] == "item_retrieve_invalid_item_id"


def test_retrieve_speech():
    """A retrieved item has its sound; a user's has what was understood of it too."""
    wire = Wire(["Hello to you."], hears=["hello"])
    wire.speak(0.5, 1)
    wire.wait(5)
    for item_id, said in zip(ids(wire), ("hello", "Hello to you."), strict=True):
        (event,) = wire.send({"type": "conversation.item.retrieve", "item_id": item_id})
        part = event["item"]["content"][0]
        assert part["transcript"] == said
        assert len(base64.b64decode(part["audio"])) == 2 * wire.session.conversation.find(item_id).n_samples


@pytest.mark.reported
def test_truncate():
    """The sound is cut, and the transcript, which nobody could cut, is gone."""
    wire = Wire(["A sentence that takes a while."])
    wire.send(CREATE)
    item_id = only(wire.wait(5), "response.output_item.done")["item"]["id"]
    event = {"type": "conversation.item.truncate", "item_id": item_id, "content_index": 0, "audio_end_ms": 500}
    (answer,) = wire.send(event)
    assert {k: answer[k] for k in event} == event | {"type": "conversation.item.truncated"}
    entry = wire.session.conversation.find(item_id)
    assert entry.item["content"] == [{"type": "output_audio"}]
    assert len(entry.samples) == entry.n_samples == RATE // 2
    wire.send(CREATE)
    assert wire.commands_of(Think)[1].turn.items[0]["content"] == [{"type": "output_audio"}]


@pytest.mark.reported
def test_truncate_to_nothing():
    """An item that was never heard is cut to nothing."""
    wire = Wire()
    wire.send(CREATE)
    item_id = only(wire.wait(5), "response.output_item.done")["item"]["id"]
    event = {"type": "conversation.item.truncate", "item_id": item_id, "content_index": 0, "audio_end_ms": 0}
    assert wire.send(event)[0]["type"] == "conversation.item.truncated"


def test_old_sound_is_let_go():
    """Sound beyond what is to be kept goes, the oldest first; the items stay."""
    wire = Wire(settings=Settings(keep_audio_s=3))
    for _ in range(3):
        wire.speak(0.5, 0.6)
        wire.send({"type": "response.cancel"})
    user = [e for e in wire.session.conversation.entries if e.item["role"] == "user"]
    assert [entry.samples is None for entry in user] == [True, False, False]
    (event,) = wire.send({"type": "conversation.item.retrieve", "item_id": user[0].item["id"]})
    assert "audio" not in event["item"]["content"][0]


def test_created_speech_is_heard():
    """Sound that comes in an item is understood before the model answers, and shown without its bytes."""
    wire = Wire(hears=["what time is it"])
    audio = base64.b64encode(loud(1).tobytes()).decode()
    item = {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
    added, _ = wire.send({"type": "conversation.item.create", "item": item})
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]
    wire.send(CREATE)
    assert wire.commands_of(Think)[0].turn.items[0]["content"][0]["transcript"] == "what time is it"
    assert np.array_equal(wire.session.conversation.entries[0].samples, loud(1))


def test_done_of_a_model_item_after_the_very_first():
    """``done`` forgets the predecessor where that is the conversation's first item; ``added`` does not."""
    wire = Wire()
    first = wire.send(user_says("hello"))[0]["item"]["id"]
    wire.send(CREATE)
    events = wire.wait(5)
    assert only(events, "conversation.item.added")["previous_item_id"] == first
    assert only(events, "conversation.item.done")["previous_item_id"] is None
    second = only(events, "conversation.item.done")["item"]["id"]
    wire.send(CREATE)
    assert only(wire.wait(5), "conversation.item.done")["previous_item_id"] == second


@given(st.lists(st.tuples(st.sampled_from(["end", "root", "after", "delete"]), st.integers(0, 100)), max_size=20))
def test_added_tells_the_order(script):
    """Whoever follows ``added`` and ``deleted`` has the service's order."""
    wire = Wire()
    order: list[str] = []
    for action, n in script:
        chosen = order[n % len(order)] if order else None
        if action == "delete" and chosen:
            order.remove(wire.send({"type": "conversation.item.delete", "item_id": chosen})[0]["item_id"])
        else:
            previous = {"root": "root", "after": chosen}.get(action)
            added = wire.send(user_says("x", previous_item_id=previous))[0]
            follows = added["previous_item_id"]
            order.insert(order.index(follows) + 1 if follows else 0, added["item"]["id"])
    assert order == ids(wire)


@pytest.mark.reported
def test_an_id_used_twice_for_speech():
    """A response does not wait for ever for the first of two utterances of one id."""
    wire = Wire(answers=False)
    audio = base64.b64encode(loud(1).tobytes()).decode()
    item = {"id": "mine", "type": "message", "role": "user", "content": [{"type": "input_audio", "audio": audio}]}
    wire.send({"type": "conversation.item.create", "item": item}, {"type": "conversation.item.create", "item": item})
    wire.send(CREATE)
    assert wire.commands_of(Think) == []
    wire.feed(Understood("mine", "hello"))
    assert len(wire.commands_of(Think)) == 1
