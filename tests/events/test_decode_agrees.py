"""Speed changes nothing: whatever comes, ``decode`` gives what the SDK's own parse gives, or one clear error."""

import json
import math
import os
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from openai._models import construct_type_unchecked
from openai.types.realtime import RealtimeServerEvent, RealtimeTranslationServerEvent

from openai_realtime_api_utils.errors import RemoteProtocolError
from openai_realtime_api_utils.events import decode

FOLDER = os.environ.get("REALTIME_RECORDINGS")
SESSION = {"id": "s", "type": "translation", "model": "m", "expires_at": 1, "audio": {"output": {"language": "es"}}}
ITEM = {"id": "i", "type": "message", "role": "assistant", "status": "completed", "object": "realtime.item"}
MADE = [
    {"type": "input_audio_buffer.speech_started", "event_id": "e", "item_id": "i", "audio_start_ms": 40},
    {"type": "response.output_audio.delta", "event_id": "e", "response_id": "r", "item_id": "i", "output_index": 0}
    | {"content_index": 0, "delta": "AAAA"},
    {"type": "conversation.item.done", "event_id": "e", "previous_item_id": None}
    | {"item": ITEM | {"content": [{"type": "output_audio", "transcript": "hi"}]}},
    {"type": "conversation.item.added", "event_id": "e", "previous_item_id": "h"}
    | {"item": {"id": "c", "type": "function_call", "name": "f", "call_id": "x", "arguments": "{}"}},
    {"type": "conversation.item.input_audio_transcription.delta", "event_id": "e", "item_id": "i", "delta": "a"}
    | {"logprobs": [{"token": "a", "bytes": [97], "logprob": -0.5}]},
    {"type": "response.done", "event_id": "e", "response": {"id": "r", "status": "failed", "output": [ITEM]}},
    {"type": "rate_limits.updated", "event_id": "e", "rate_limits": [{"name": "tokens", "limit": 5, "remaining": 4}]},
    {"type": "error", "event_id": "e", "error": {"type": "x", "code": None, "message": "no", "param": None}},
]
TRANSLATED = [
    {"type": "session.created", "event_id": "e", "session": SESSION},
    {"type": "session.updated", "event_id": "e", "session": SESSION},
    {"type": "session.closed", "event_id": "e"},
    {"type": "session.output_audio.delta", "event_id": "e", "delta": "AAAA", "sample_rate": 24000, "channels": 1},
    {"type": "session.output_transcript.delta", "event_id": "e", "delta": "hola", "elapsed_ms": 10},
    {"type": "session.input_transcript.delta", "event_id": "e", "delta": "hello"},
]


def recorded() -> list[dict[str, Any]]:
    """Return the recorded server events, long payloads cut short; none where there are no recordings."""
    events = []
    for path in sorted(Path(FOLDER).glob("*.yaml")) if FOLDER else ():
        for one in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("interactions", []):
            if one.get("kind") == "message" and one["direction"] == "received":
                event = one["data"]
                events.append(event | ({"delta": event["delta"][:80]} if isinstance(event.get("delta"), str) else {}))
    return events


CONVERSATION = [*MADE, *recorded()]

odd_values = st.one_of(
    st.sampled_from(
        [None, True, 0, -1, 12, 12.5, 1e400, math.nan, 10**30, "12", "1.5", "nan", "", "completed", [], {}]
    ),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["type", "id", "x"]), st.text(max_size=3), max_size=2),
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where in a JSON value something stands."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for name, inner in inside for path in paths(inner, (*here, name)))]


def changed(value: Any, path: tuple[Any, ...], change: Any) -> Any:
    """Return a copy in which what stands at a path has been changed."""
    if not path:
        return change(value)
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], change)
    return copy


@st.composite
def mutated(draw: st.DrawFn, events: list[dict[str, Any]]) -> bytes:
    """Change an event in a few places; then, perhaps, what it is written as."""
    event = draw(st.sampled_from(events))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(paths(event)))
        how = draw(st.sampled_from(["replace", "drop", "add", "quote"]))
        if how == "replace" and path and path != ("type",):
            odd = draw(odd_values)
            event = changed(event, path, lambda _, odd=odd: odd)
        elif how == "drop" and path and isinstance(path[-1], str) and path != ("type",):
            event = changed(event, path[:-1], lambda v, name=path[-1]: {k: w for k, w in v.items() if k != name})
        elif how == "add":
            odd = draw(odd_values)
            event = changed(event, path, lambda v, odd=odd: {**v, "novel": odd} if isinstance(v, dict) else v)
        elif how == "quote" and path:
            event = changed(event, path, lambda v: str(v) if type(v) in (int, float) else v)
    frame = json.dumps(event, ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):  # a key twice: the last counts
        name = draw(st.sampled_from(["event_id", "item_id", "delta", "novel"]))
        frame = f'{{"{name}": {json.dumps(draw(odd_values))}, {frame[1:]}'
    data = frame.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(data)))
        data = draw(st.sampled_from([data[:at], data[:at] + b"\xff" + data[at:], data[:at] + b"\x00" + data[at:]]))
    return data


def seen(event: Any) -> Any:
    """Return what a handler could read of an event, in no particular order; as text, NaN is equal to itself."""
    return json.dumps(event.to_dict(mode="python", warnings=False), sort_keys=True)


def both(frame: bytes, union: Any) -> tuple[Any, Any]:
    """Return what the SDK's own parse makes of a frame, and what ``decode`` does; None is an error."""
    try:
        slow = construct_type_unchecked(value=json.loads(frame.decode()), type_=union)
    except ValueError:
        slow = None
    try:
        fast = decode(frame)
    except RemoteProtocolError as error:
        fast = None if error.event == frame and len(str(error)) < 300 else error
    return slow, fast


def check(frame: bytes, union: Any, *, is_told: bool = True) -> None:
    """Compare the two ways; the class only where the frame tells which of two that share a name it is."""
    slow, fast = both(frame, union)
    if slow is None or fast is None:
        assert (slow, fast) == (None, None)
    else:
        assert type(slow).__name__ == type(fast).__name__ or not is_told
        assert seen(slow) == seen(fast)


@given(mutated(CONVERSATION))
def test_a_conversations_events_are_what_the_sdk_makes_of_them(frame):
    """Fields missing, null, of another type, twice, unknown; numbers as text; NaN; bytes that are no JSON."""
    check(frame, RealtimeServerEvent)


@given(mutated(TRANSLATED))
def test_a_translations_events_are_what_the_sdk_makes_of_them(frame):
    """The same on a translation, as far as the type of its session is told."""
    check(frame, RealtimeTranslationServerEvent, is_told=b'"type": "translation"' in frame)


@pytest.mark.parametrize("event", CONVERSATION, ids=lambda event: event["type"])
def test_every_recorded_frame_takes_the_fast_path_unchanged(event):
    """What the service really sends comes out as the SDK makes it."""
    check(json.dumps(event).encode(), RealtimeServerEvent)


def test_the_unions_are_those_of_the_sdk():
    """What is compared is what the SDK parses with."""
    assert len(get_args(get_args(RealtimeServerEvent)[0])) > 40
