"""Laws of a session under any script: it raises nothing, what it says fits the SDK's types, and it is repeatable."""

from typing import Annotated, get_args

from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.realtime import RealtimeServerEvent
from pydantic import Field, TypeAdapter

from openai_realtime_api_utils.simulator.engine import Call, Fail, Say
from openai_realtime_api_utils.simulator.settings import Settings
from simulated import Wire, append, loud, quiet, update, user_says

SDK = TypeAdapter(Annotated[get_args(RealtimeServerEvent)[0], Field(discriminator="type")])

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
TYPES = [
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.retrieve",
    "conversation.item.truncate",
    "conversation.item.delete",
    "response.create",
    "response.cancel",
]
FIELDS = ["session", "audio", "item", "item_id", "previous_item_id", "content_index", "audio_end_ms", "response"]
wild = st.builds(
    lambda kind, fields: {**fields, "type": kind},
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from([*FIELDS, "event_id"]), json_values, max_size=4),
)
wild_session = st.builds(
    lambda name, value: update(**{name: value}),
    st.sampled_from(["audio", "tools", "tool_choice", "output_modalities", "max_output_tokens", "include", "prompt"]),
    json_values,
)
VALID = [
    update(output_modalities=["text"]),
    update(output_modalities=["audio"]),
    update(audio={"input": {"turn_detection": None}}),
    update(audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 200}}}),
    update(audio={"input": {"turn_detection": {"type": "server_vad", "interrupt_response": False}}}),
    update(audio={"input": {"turn_detection": {"type": "semantic_vad"}, "noise_reduction": {"type": "near_field"}}}),
    update(audio={"input": {"transcription": {"model": "gpt-realtime-whisper"}}}),
    update(audio={"input": {"transcription": {"model": "gpt-4o-transcribe", "language": "en"}}}),
    update(audio={"output": {"format": {"type": "audio/pcmu"}}, "input": {"format": {"type": "audio/pcma"}}}),
    update(audio={"output": {"format": {"type": "audio/pcm"}}, "input": {"format": {"type": "audio/pcm"}}}),
    update(tools=[{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}]),
    append(loud(0.3)),
    append(quiet(0.7)),
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    user_says("hello"),
    user_says("hello", previous_item_id="root"),
    {"type": "response.create"},
    {"type": "response.create", "response": {"conversation": "none", "metadata": {"a": "b"}}},
    {"type": "response.create", "response": {"max_output_tokens": 3}},
    {"type": "response.cancel"},
]
on_items = st.builds(
    lambda kind, index, ms: (kind, index, ms),
    st.sampled_from(["retrieve", "truncate", "delete", "insert"]),
    st.integers(0, 20),
    st.integers(0, 3000),
)
steps = st.lists(st.sampled_from(VALID) | wild | wild_session | on_items | st.floats(0, 3), max_size=30)
answers = st.lists(
    st.lists(
        st.sampled_from(
            ["Hello.", "A longer sentence, in truth.", Call("f", {"a": "b"}), Fail("server_error", "No."), Say("Hm.")]
        ),
        max_size=3,
    ),
    max_size=8,
)


def play(script, replies, model):
    wire = Wire(replies, hears=["hello", "", Fail("x", "y"), "good bye"] * 3, overhears=True, model=model)
    for step in script:
        if isinstance(step, float):
            wire.wait(step)
        elif isinstance(step, tuple):
            wire.send(on_an_item(wire, *step))
        else:
            wire.send(step)
    wire.wait(60)
    return wire


def on_an_item(wire, kind, index, ms):
    entries = wire.session.conversation.entries
    item_id = entries[index % len(entries)].item["id"] if entries else "none"
    if kind == "insert":
        return user_says("between", previous_item_id=item_id)
    more = {"content_index": 0, "audio_end_ms": ms} if kind == "truncate" else {}
    return {"type": f"conversation.item.{kind}", "item_id": item_id, **more}


models = st.sampled_from(["gpt-realtime", "gpt-realtime-2.1"])


@settings(max_examples=60, deadline=None)
@given(steps, answers, models)
def test_any_script(script, replies, model):
    """Nothing is raised, every event is one of the SDK's, and every response comes to an end."""
    wire = play(script, replies, model)
    for event in wire.events:
        SDK.validate_python(event)
    created = [e["response"]["id"] for e in wire.events if e["type"] == "response.created"]
    done = [e["response"]["id"] for e in wire.events if e["type"] == "response.done"]
    assert sorted(created) == sorted(done)
    assert wire.times == sorted(wire.times)
    event_ids = [event["event_id"] for event in wire.events]
    assert len(set(event_ids)) == len(event_ids)


@settings(max_examples=60, deadline=None)
@given(steps, answers, models)
def test_replica_follows_the_events(script, replies, model):
    """Whoever only sees the events ends with the service's items, in its order."""
    wire = play(script, replies, model)
    order, items = [], {}
    for event in wire.events:
        match event["type"]:
            case "conversation.item.added":
                previous = event["previous_item_id"]
                order.insert(order.index(previous) + 1 if previous else 0, event["item"]["id"])
                items[event["item"]["id"]] = event["item"]
            case "conversation.item.done":
                items[event["item"]["id"]] = event["item"]
            case "conversation.item.truncated":
                items[event["item_id"]] = items[event["item_id"]] | {"content": [{"type": "output_audio"}]}
            case "conversation.item.deleted":
                order.remove(event["item_id"])
    entries = wire.session.conversation.entries
    assert order == [entry.item["id"] for entry in entries]
    assert [items[item_id] for item_id in order] == [entry.item for entry in entries]


@settings(max_examples=20, deadline=None)
@given(steps, answers, models)
def test_repeatable(script, replies, model):
    """The same script gives the same events, ids included."""
    assert play(script, replies, model).events == play(script, replies, model).events


def test_seeds_differ():
    """Another seed gives other ids."""
    assert Wire(settings=Settings(seed=1)).events != Wire(settings=Settings(seed=2)).events
