"""Laws of a session under any script: it raises nothing, what it says fits the SDK's types, and it is repeatable."""

import base64

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.engine import Call, Fail, Say
from openai_realtime_api_utils.simulator.mcp_server import McpFailure, McpServer, McpTool
from openai_realtime_api_utils.simulator.settings import Settings
from simulated import Wire, append, check_event, loud, quiet, update, user_says

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
    update(tools=[{"type": "mcp", "server_label": "s", "server_url": "https://s.example"}], tool_choice="required"),
    update(tools=[{"type": "mcp", "server_label": "s", "server_url": "x", "require_approval": "never"}]),
    update(truncation={"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": {"post_instructions": 5}}),
    update(tool_choice="auto", truncation="auto", include=["item.input_audio_transcription.logprobs"]),
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
            [
                "Hello.",
                "A longer sentence, in truth.",
                Call("f", {"a": "b"}),
                Call("ask"),
                Call("slow"),
                Fail("server_error", "No."),
                Say("Hm.", "commentary"),
            ]
        ),
        max_size=3,
    ),
    max_size=8,
)


SERVER = McpServer([McpTool("ask", answer="Yes."), McpTool("slow", answer=McpFailure("No."), takes_s=1)], lists_s=0.2)


def play(script, replies, model, **options):
    hears = ["hello", "", Fail("x", "y"), "good bye"] * 3
    options |= {"settings": Settings(mcp_servers={"s": SERVER})}
    wire = Wire(replies, hears=hears, overhears=True, model=model, **options)
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
        check_event(event)
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


def approve(wire):
    """Answer every request that waits."""
    for entry in list(wire.session.conversation.entries):
        if entry.item["type"] == "mcp_approval_request":
            item = {"type": "mcp_approval_response", "approval_request_id": entry.item["id"], "approve": True}
            wire.send({"type": "conversation.item.create", "item": item})


@settings(max_examples=30, deadline=None)
@given(steps, answers, models)
def test_calls_are_made_after_all(script, replies, model):
    """Whatever was asked for and is approved of comes to an end, once."""
    wire = play(script, replies, model)
    approve(wire)
    wire.wait(5)
    begun = [e["item_id"] for e in wire.events if e["type"] == "response.mcp_call.in_progress"]
    ended = [
        e["item_id"] for e in wire.events if e["type"] in ("response.mcp_call.completed", "response.mcp_call.failed")
    ]
    assert sorted(begun) == sorted(ended)


def of_translation(samples):
    return {"type": "session.input_audio_buffer.append", "audio": base64.b64encode(samples.tobytes()).decode()}


def of_kind(kind, model):
    return {
        "type": "session.update",
        "session": {"type": kind, "audio": {"input": {"transcription": {"model": model}}}},
    }


OTHERS = [
    of_kind("transcription", "whisper-1"),
    of_kind("transcription", "gpt-live-transcribe"),
    of_kind("transcription", "gpt-4o-transcribe-diarize"),
    {"type": "session.update", "session": {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}},
    {"type": "session.update", "session": {"audio": {"output": {"language": "es"}}}},
    append(loud(0.3)),
    append(quiet(0.7)),
    of_translation(loud(0.3)),
    of_translation(quiet(0.7)),
    {"type": "input_audio_buffer.commit"},
    {"type": "input_audio_buffer.clear"},
    {"type": "session.close"},
]
other_steps = st.lists(st.sampled_from(OTHERS) | wild | st.floats(0, 3), max_size=30)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(other_steps, answers, st.sampled_from(["transcription", "translation"]))
def test_any_script_of_other_kinds(script, replies, kind):
    """Other kinds of session raise nothing either, and answer every event that they do not take."""
    wire = play(script, replies, None, kind=kind)
    for event in wire.events:
        check_event(event)
    assert not any(event["type"].startswith("response.") for event in wire.events)
    assert wire.times == sorted(wire.times)


def test_seeds_differ():
    """Another seed gives other ids."""
    assert Wire(settings=Settings(seed=1)).events != Wire(settings=Settings(seed=2)).events
