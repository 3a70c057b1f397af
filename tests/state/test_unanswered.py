"""What was sent is remembered until the server has answered it."""

from exchange import said
from openai_realtime_api_utils.state.unanswered import Unanswered


def output(item_id, call_id):
    """Return the event that answers a call."""
    item = {"id": item_id, "type": "function_call_output", "call_id": call_id, "output": "1"}
    return {"type": "conversation.item.create", "item": item}


def added(item):
    """Return the server's event on an item."""
    return {"type": "conversation.item.added", "item": item}


def test_an_item_is_known_by_its_id_or_else_by_its_kind():
    """Those with an id are answered by that one only."""
    unanswered = Unanswered()
    unanswered.sent(said("a", "with an id"))
    unanswered.sent(said(None, "without"))
    message = {"type": "message", "role": "user"}
    found = unanswered.answered(added({"id": "x", **message}))
    assert found["item"]["content"][0]["text"] == "without"
    assert unanswered.answered(added({"id": "x", **message})) is None
    assert unanswered.answered(added({"id": "a", **message}))["item"]["id"] == "a"
    assert not unanswered


def test_an_output_is_known_by_its_call_where_the_server_gives_it_an_id_of_its_own():
    """Otherwise the next session would be sent it again."""
    unanswered = Unanswered()
    unanswered.sent(output("ours_1", "call_1"))
    unanswered.sent(output("ours_2", "call_2"))
    theirs = {"id": "theirs", "type": "function_call_output", "call_id": "call_2", "output": "1"}
    assert unanswered.answered(added(theirs))["item"]["id"] == "ours_2"
    assert [event["item"]["id"] for event in unanswered.take()] == ["ours_1"]
