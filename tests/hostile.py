"""Make hostile and broken events: of nothing but what events are made of, or of real ones that were tampered with."""

import copy
import json
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from openai_realtime_api_utils.state.conversation import CHANGES
from swept import hold
from test_recordings import FOLDER, all_recorded

IDS = st.sampled_from(["item_1", "item_2", "item_3", "resp_1", "resp_2", "", None, "\x1b[2J", "x" * 5_000])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    IDS,
    st.sampled_from([10**30, 10**400]),
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
SPEECH = ("input_audio_buffer.speech_started", "input_audio_buffer.speech_stopped")
TYPES = st.sampled_from(
    [*sorted(CHANGES), *SPEECH, "error", "session.created", "response.audio.delta", "never.heard.of"]
)
PARTS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["input_text", "output_audio", "audio", 7])},
        optional={"text": SCALARS, "transcript": SCALARS},
    ),
    max_size=2,
)
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "id": IDS,
        "type": st.sampled_from(["message", "function_call", "function_call_output", "mcp_call", "new_thing"])
        | SCALARS,
        "role": st.sampled_from(["user", "assistant", "system"]) | SCALARS,
        "status": st.sampled_from(["completed", "in_progress", "incomplete"]) | SCALARS,
        "content": PARTS | JSON,
        "call_id": IDS,
        "name": SCALARS,
        "arguments": SCALARS,
        "output": SCALARS,
    },
)
EVENTS = st.fixed_dictionaries(
    {"type": TYPES},
    optional={
        "item": ITEMS | JSON,
        "item_id": IDS,
        "previous_item_id": IDS,
        "response_id": IDS,
        "content_index": st.integers(-2, 3) | SCALARS,
        "audio_start_ms": st.integers(-5, 10**9) | SCALARS,
        "audio_end_ms": st.integers(-5, 10**9) | SCALARS,
        "delta": SCALARS,
        "transcript": SCALARS,
        "arguments": SCALARS,
        "part": JSON,
        "error": JSON,
        "response": st.fixed_dictionaries(
            {}, optional={"id": IDS, "output": st.lists(ITEMS, max_size=2) | JSON, "status": SCALARS, "usage": JSON}
        )
        | JSON,
        "session": st.fixed_dictionaries({}, optional={"id": IDS, "type": SCALARS, "expires_at": SCALARS}) | JSON,
    },
)


@cache
def real_events():
    """Return the server's events of recorded sessions, and of a simulated one, whose sound is cut short."""
    found = [
        event
        for events in (all_recorded(Path(FOLDER)) if FOLDER else {}).values()
        for is_servers, event in events
        if is_servers
    ]
    _, talk, _ = hold([], by_voice=True)
    for event in talk.exchange.sent[0]:
        is_sound = event["type"] == "response.output_audio.delta"
        found.append({**event, "delta": event["delta"][:64]} if is_sound else event)
    return found


@st.composite
def mutated(draw):
    """Return a recorded event of which some field was taken away or replaced by anything."""
    event = copy.deepcopy(draw(st.sampled_from(real_events())))
    for _ in range(draw(st.integers(1, 3))):
        inside, path = event, None
        while isinstance(inside, dict | list) and inside:
            keys = sorted(inside) if isinstance(inside, dict) else range(len(inside))
            path = (inside, draw(st.sampled_from(list(keys))))
            inside = inside[path[1]]
            if draw(st.booleans()):
                break
        if path is not None and not (path[0] is event and path[1] == "type"):
            path[0][path[1]] = draw(JSON)
    return event


@st.composite
def damaged(draw):
    """Return the frame of a real event of which some bytes were changed, taken out or said again."""
    data = json.dumps(draw(st.sampled_from(real_events()))).encode()
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = start + draw(st.integers(0, 20))
        data = data[:start] + draw(st.sampled_from([b"", data[start:end] * 2]) | st.binary(max_size=4)) + data[end:]
    return data
