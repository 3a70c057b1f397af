"""Hostile and broken events raise nothing but the library's own errors, and hold no more memory than is kept.

With ``FUZZ_MINUTES=10`` in the environment it goes on for about so long.
"""

import copy
import json
import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_realtime_api_utils import RealtimeUtilsError, TrackConfig, TrackConversation, decode, redact
from openai_realtime_api_utils.middlewares import PrintEvents
from openai_realtime_api_utils.middlewares.print_events import describe
from openai_realtime_api_utils.resume.frames import frame_type, parsed
from openai_realtime_api_utils.state.config import drift
from openai_realtime_api_utils.state.conversation import CHANGES, Conversation, apply
from openai_realtime_api_utils.state.planting import Planting
from openai_realtime_api_utils.state.restore import fitting, restored
from openai_realtime_api_utils.state.stored import Stored, record
from openai_realtime_api_utils.state.transcript import transcript
from openai_realtime_api_utils.state.unanswered import Unanswered
from openai_realtime_api_utils.state.usage import Usage, add
from test_recordings import FOLDER, all_recorded

IDS = st.sampled_from(["item_1", "item_2", "item_3", "resp_1", "resp_2", "", None, "\x1b[2J", "x" * 5_000])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20), IDS, st.just(10**30)
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
TYPES = st.sampled_from([*sorted(CHANGES), "error", "session.created", "response.audio.delta", "never.heard.of"])
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
        "session": JSON,
    },
)

RECORDED = (
    [event for events in all_recorded(Path(FOLDER)).values() for is_servers, event in events if is_servers]
    if FOLDER
    else []
)


@st.composite
def mutated(draw):
    """Return a recorded event of which some field was taken away or replaced by anything."""
    event = copy.deepcopy(draw(st.sampled_from(RECORDED or [{"type": "response.done", "response": {"id": "r"}}])))
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


def check(events):
    """Run events through all that reads them."""
    conversation, usage, unanswered, planting = Conversation(keep_items=4), Usage(), Unanswered(), Planting()
    config, talk, lines = TrackConfig(), TrackConversation(keep_items=4), []
    printing = PrintEvents(type("Lines", (), {"write": staticmethod(lines.append)})(), filter_server=lambda event: True)
    for event in events:
        frame = json.dumps(event).encode()
        decoded = decode(frame)
        apply(conversation, decoded)
        usage = add(usage, decoded)
        unanswered.answered(event)
        planting.take(event)
        for middleware in (config, talk, printing):
            middleware.server_event_handler(decoded, {}, None)
        assert frame_type(frame) == event["type"]
        redact(decoded)
        assert describe(decoded).isprintable()
    transcript(conversation.items)
    found = restored(conversation.items)
    fitting(found, 100)
    Stored([record("item", item=one.param, after=None) for one in found]).records()
    drift(config.state)
    assert len(conversation.items) <= 4
    assert all("\x1b" not in line for line in lines)


QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))
if MINUTES:
    QUICK = settings(max_examples=int(MINUTES * 6_000), deadline=None, suppress_health_check=list(HealthCheck))


@QUICK
@given(st.lists(EVENTS, max_size=12))
def test_made_up_events(events):
    """Whatever the fields hold."""
    check(events)


@QUICK
@given(st.lists(mutated(), max_size=12))
def test_recorded_events_that_were_tampered_with(events):
    """Real events, some part of which is anything."""
    check(events)


@QUICK
@given(st.binary(max_size=200) | st.text(max_size=200) | JSON.map(json.dumps))
def test_frames_that_are_no_events(frame):
    """They are refused with the library's own error, or are events."""
    data = frame.encode() if isinstance(frame, str) else frame
    frame_type(data)
    parsed(data)
    try:
        decode(frame)
    except RealtimeUtilsError:
        pass


def test_deep_and_large_frames():
    """A frame of a hundred thousand brackets, and one of 20 MB, are read or refused, no more."""
    for frame in ("[" * 100_000, '{"type":"x","a":' * 50_000, json.dumps({"type": "x", "a": "y" * 20_000_000})):
        assert frame_type(frame.encode()) in ("", "x")
        told = ""
        try:
            decode(frame)
        except RealtimeUtilsError as error:
            told = str(error)
        assert len(told) < 500
