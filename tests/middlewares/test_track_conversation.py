"""TrackConversation shows the replica, and tells what it cannot keep or understand."""

import base64
import logging

import pytest

from made_events import added, made, message, response, spoken_answer, spoken_end
from openai_realtime_api_utils.middlewares import ITEM, TrackConversation


def tracked(*events, **options):
    """Return a TrackConversation that saw the events."""
    talk = TrackConversation(**options)
    for event in events:
        receive(talk, event)
    return talk


def receive(talk, event):
    """Hand over an event; return the metadata it leaves."""
    passed, metadata = talk.server_event_handler(event, {}, None)
    assert passed is event
    return metadata


def turn():
    return [
        added(message("U", text="Hi.")),
        *spoken_answer("r", "A", "U", "Hel", "lo."),
        *spoken_end("r", "A", "Hello."),
    ]


def test_it_answers_what_was_said():
    """Items, texts and the transcript of the whole."""
    talk = tracked(*turn())
    assert [("U", "Hi."), ("A", "Hello.")] == [(item.id, item.text) for item in talk.items]
    assert "user: Hi.\nassistant: Hello." == talk.transcript()
    assert talk.item("nobody") is None


def test_it_answers_what_is_going_on():
    """What is in progress, truncated, deleted and out of band is told apart."""
    aside = response("x", "completed", conversation_id=None, output=[message("X", "assistant", "cheerful")])
    talk = tracked(
        *turn(),
        *spoken_answer("s", "B", "A", "Wait"),
        made("conversation.item.truncated", item_id="A", content_index=0, audio_end_ms=0),
        made("conversation.item.deleted", item_id="U"),
        made("response.done", response=aside),
    )
    assert ["B"] == [item.id for item in talk.in_progress]
    assert ["s"] == list(talk.open_responses)
    assert [("A", "Hello.", "")] == [(item.id, item.text, item.heard_text) for item in talk.truncated]
    assert {"U"} == talk.deleted
    assert ["X"] == [item.id for item in talk.out_of_band]
    assert talk.state.items is talk.items


def test_the_conversation_is_printed_by_lines():
    """Any function that takes a line prints it."""
    lines = []
    tracked(*turn()).print_conversation(print_fn=lines.append)
    assert ["user: Hi.", "assistant: Hello."] == lines


def test_someone_may_know_better_what_was_heard():
    """A player knows what sounded; its word counts until it is taken back."""
    talk = tracked(*turn())
    talk.set_heard_text("A", "Hel")
    talk.set_heard_text("nobody", "x")
    assert ("Hel", "user: Hi.\nassistant: Hel") == (talk.item("A").heard_text, talk.transcript())
    talk.set_heard_text("A", None)
    assert "Hello." == talk.item("A").heard_text


def test_later_handlers_are_told_the_item():
    """The item that an event is about is in its metadata; other events have none."""
    talk = TrackConversation()
    metadata = receive(talk, added(message("U", text="Hi.")))
    assert ITEM.get(metadata) is talk.item("U")
    assert ITEM.get(receive(talk, made("rate_limits.updated", rate_limits=[]))) is None


def test_what_leaves_is_told():
    """Items above what is kept are handed to every callback, the oldest first."""
    gone, lost = [], []
    events = [added(message("A")), added(message("B"), "A"), added(message("C"), "B")]
    talk = tracked(*events, keep_items=1, on_evicted=[lambda item: gone.append(item.id), lost.append])
    assert (["A", "B"], ["A", "B"], ["C"]) == (gone, [item.id for item in lost], [item.id for item in talk.items])


def test_an_unknown_predecessor_is_logged(caplog):
    """It is a warning of this module, not an error."""
    with caplog.at_level(logging.WARNING):
        tracked(added(message("B"), "X"))
    (record,) = caplog.records
    assert "openai_realtime_api_utils.middlewares.track_conversation" == record.name
    assert "The item B was added after X, which is not known here." in record.getMessage()


def test_the_client_may_say_where_it_cuts():
    """A truncate that is sent is noted, and passes untouched."""
    talk = tracked(*turn())
    event = {"type": "conversation.item.truncate", "item_id": "A", "content_index": 0, "audio_end_ms": 70}
    assert (event, {}) == talk.client_event_handler(event, {}, None)
    receive(talk, made("conversation.item.truncated", item_id="A"))
    assert 70 == talk.item("A").truncated_ms


def test_no_sound_is_kept_by_default():
    """Sound is kept on request only."""
    assert b"" == tracked(*turn()).audio("A")


def test_sound_is_kept_on_request():
    """The last seconds of it are, as they were encoded."""
    samples = bytes(range(200)) * 240  # a second
    events = spoken_answer("r", "A", None, "a", "b", "c", audio=base64.b64encode(samples).decode())
    assert samples * 2 == tracked(*events, keep_audio_s=2).audio("A")


def test_sound_that_is_no_base64_is_told(caplog):
    """It is not kept, and the session goes on."""
    assert b"" == tracked(*spoken_answer("r", "A", None, "a", audio="A"), keep_audio_s=2).audio("A")
    assert "Sound of the item A was not kept" in caplog.text


def test_bad_bounds_are_refused():
    """Both bounds are checked when it is built."""
    with pytest.raises(ValueError, match="keep_items is 0"):
        TrackConversation(keep_items=0)
    with pytest.raises(ValueError, match="keep_audio_s is -1"):
        TrackConversation(keep_audio_s=-1)
