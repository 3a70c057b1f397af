"""What one session may take: items and responses are bounded, and told so in one sentence."""

import pytest

from simulated import Wire, of, only, update, user_says

MIB = 1024 * 1024


@pytest.mark.reported
def test_conversation_that_runs_away():
    """Beyond 64 Mi characters an item is refused; when another one is deleted, it fits."""
    wire = Wire(())
    wire.send(user_says("x" * 40 * MIB))
    created = only(wire.events, "conversation.item.added")
    refused = only(wire.send(user_says("y" * 30 * MIB)), "error")
    wire.send({"type": "conversation.item.delete", "item_id": created["item"]["id"]})
    assert refused["error"]["code"] == "conversation_too_large"
    assert of(wire.send(user_says("y" * 30 * MIB)), "conversation.item.added") != []


@pytest.mark.reported
def test_flood_of_small_items():
    """Items count even when they say nothing, whoever made them."""
    wire = Wire(())
    wire.send(user_says("x" * (64 * MIB - 10_000)))
    errors = [event for _ in range(20) for event in of(wire.send(user_says("")), "error")]
    assert 10 <= len(errors) <= 12


@pytest.mark.reported
def test_input_that_runs_away():
    """An item that a response alone is given counts as well."""
    wire = Wire(())
    wire.send(user_says("x" * 40 * MIB))
    item = user_says("y" * 30 * MIB)["item"]
    answer = wire.send({"type": "response.create", "response": {"conversation": "none", "input": [item]}})
    assert only(answer, "error")["error"]["code"] == "conversation_too_large"


@pytest.mark.reported
def test_many_responses_at_a_time():
    """A hundred responses may be in progress; one more is refused until one of them is done."""
    wire = Wire((), answers=False)
    wire.send(update(output_modalities=["text"]))
    create = {"type": "response.create", "response": {"conversation": "none"}}
    created = [only(wire.send(create), "response.created")["response"]["id"] for _ in range(100)]
    refused = only(wire.send(create), "error")
    wire.send({"type": "response.cancel", "response_id": created[0]})
    assert refused["error"]["code"] == "rate_limit_exceeded"
    assert of(wire.send(create), "response.created") != []
