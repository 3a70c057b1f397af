"""Whatever a server sends, the replica holds together."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from made_events import added, message
from openai_realtime_api_utils.events import decode
from openai_realtime_api_utils.middlewares.print_events import describe
from openai_realtime_api_utils.state import config
from openai_realtime_api_utils.state.config import Config
from openai_realtime_api_utils.state.conversation import CHANGES, Conversation, apply
from openai_realtime_api_utils.state.transcript import transcript
from openai_realtime_api_utils.state.usage import Usage, add

junk = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**6) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
item_ids = st.sampled_from(["A", "B", "C", "D", ""]) | junk
parts = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["input_text", "input_audio", "output_audio", "audio", "text", "input_image"]) | junk,
        "text": st.just("some text") | junk,
        "transcript": st.none() | st.just("a transcript") | junk,
        "image_url": junk,
    },
)
items = st.fixed_dictionaries(
    {},
    optional={
        "id": item_ids,
        "type": st.sampled_from(["message", "function_call", "function_call_output", "mcp_call", "new"]) | junk,
        "role": st.sampled_from(["user", "assistant", "system"]) | junk,
        "status": st.sampled_from(["in_progress", "completed", "incomplete"]) | junk,
        "content": st.lists(parts | junk, max_size=2) | junk,
        "arguments": st.just("{}") | junk,
        "call_id": item_ids,
        "name": junk,
        "output": junk,
        "error": junk,
        "tools": junk,
    },
)
responses = st.fixed_dictionaries(
    {},
    optional={
        "id": st.sampled_from(["r", "x"]) | junk,
        "conversation_id": st.sampled_from(["conv", None]) | junk,
        "status": st.sampled_from(["in_progress", "completed", "cancelled"]) | junk,
        "output": st.lists(items | junk, max_size=2) | junk,
        "audio": junk,
        "metadata": junk,
        "usage": junk,
    },
)
sessions = st.fixed_dictionaries(
    {}, optional={"type": st.sampled_from(["realtime", "transcription"]) | junk, "audio": junk, "tools": junk}
)
events = st.fixed_dictionaries(
    {"type": st.sampled_from([*CHANGES, "error", "news"])},
    optional={
        "item": items | junk,
        "item_id": item_ids,
        "previous_item_id": item_ids,
        "response": responses | junk,
        "response_id": st.sampled_from(["r", "x"]) | junk,
        "content_index": st.integers(0, 1) | junk,
        "part": parts | junk,
        "delta": st.just("AAAA") | junk,
        "text": junk,
        "transcript": junk,
        "audio_end_ms": junk,
        "error": junk,
        "usage": junk,
        "session": sessions | junk,
        "arguments": junk,
    },
)


@settings(deadline=None)
@given(st.lists(events, max_size=12), st.integers(1, 4))
def test_no_event_raises_and_the_replica_holds_together(sent, keep_items):
    """Malformed events change less than they meant to; order, index and bounds stay consistent."""
    conversation, known, usage = Conversation(keep_items=keep_items), Config(), Usage()
    for event in (decode(json.dumps(event)) for event in sent):
        apply(conversation, event)
        usage = add(usage, event)
        assert "\n" not in describe(event)
        known = config.stated(known, getattr(event, "session", None), is_answer=True)
        assert config.session_type(known) in ("realtime", "transcription", "translation")
        config.interrupts_by_itself(known)
        config.drift(known)
        in_order = [item.id for item in conversation.items]
        assert sorted(set(in_order)) == sorted(in_order)
        assert all(conversation.item(id_) is item for id_, item in zip(in_order, conversation.items, strict=True))
        assert not any(item.is_out_of_band for item in conversation.items)
        assert all(item.is_out_of_band for item in conversation.out_of_band)
        assert len(in_order) <= keep_items
        assert not conversation.deleted & set(in_order)
        assert len(in_order) == len(transcript(conversation.items).splitlines())
        for item in conversation.items:
            assert repr(item)
            assert isinstance(item.text + item.heard_text + (item.transcript or ""), str)


@settings(deadline=None)
@given(st.lists(events, max_size=10))
def test_the_same_events_give_the_same_conversation(sent):
    """The replica depends on the events alone."""

    def seen():
        conversation = Conversation()
        for event in sent:
            apply(conversation, decode(json.dumps(event)))
        return [repr(item) for item in (*conversation.items, *conversation.out_of_band)], list(conversation.deleted)

    assert seen() == seen()


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), max_size=15), st.randoms(use_true_random=False))
def test_the_replica_has_the_servers_order(positions, random):
    """Items created anywhere, deleted anywhere: the order is that of the server's own list."""
    conversation, order = Conversation(), []
    for number, position in enumerate(positions):
        item_id, at = f"I{number}", position % (len(order) + 1)
        apply(conversation, added(message(item_id, text="x"), order[at - 1] if at else None))
        order.insert(at, item_id)
        if random.random() < 0.3:
            gone = order.pop(random.randrange(len(order)))
            apply(conversation, decode(json.dumps({"type": "conversation.item.deleted", "item_id": gone})))
        assert order == [item.id for item in conversation.items]


@settings(deadline=None)
@given(st.permutations(range(7)))
def test_a_conversation_in_any_order_of_arrival(arrival):
    """Items that each follow the one before stand in a row, in whatever order the news come."""
    conversation = Conversation()
    for number in arrival:
        apply(conversation, added(message(f"I{number}"), f"I{number - 1}" if number else None))
    assert [f"I{number}" for number in range(7)] == [item.id for item in conversation.items]
