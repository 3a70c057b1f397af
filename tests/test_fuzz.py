"""Hostile and broken events raise nothing but the library's own errors, and hold no more memory than is kept.

With ``FUZZ_MINUTES=10`` in the environment it goes on for so long, and writes what it finds, made as small as it can
be, into ``tests/fuzz_cases``, from where every run tries it again.
"""

import copy
import itertools
import json
import logging
import os
import traceback
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fakes import Service, closed_by_server
from openai_realtime_api_utils import (
    ManualClock,
    MemoryMicrophone,
    MemorySpeaker,
    RealtimeUtilsError,
    SystemClock,
    TrackConfig,
    TrackConversation,
    decode,
    redact,
)
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.middlewares import (
    ArbitrateResponses,
    Ask,
    CallTools,
    PrintEvents,
    StreamMic,
    interruptable_audio_player,
)
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
from swept import hold
from talking import Talk
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


def hold_session(events):
    """Run events through a resumed, hooked session with everything in it, which is lost and comes back after them."""
    clock = ManualClock()
    created = {"type": "session.created", "session": {"type": "realtime", "id": "sess_1"}}
    frames = [json.dumps(event).encode() for event in events]
    service = Service(created, *frames, closed_by_server(1011))
    talk = Talk(service, clock)
    talk.conversation = TrackConversation(keep_items=4, keep_audio_s=1)

    def weather(city: str = "") -> str:
        """Tell the weather."""
        return city

    async def main():
        tools = CallTools([weather], track_conversation=talk.conversation, clock=clock)
        mic = StreamMic(MemoryMicrophone(clock), clock=clock, frame_ms=100)
        printing = PrintEvents(type("Lines", (), {"write": staticmethod(len)})())
        speaker = MemorySpeaker(clock)
        with interruptable_audio_player(talk.config, talk.conversation, speaker, clock=clock) as iap:
            rest = [ArbitrateResponses(clock=clock), Ask(clock=clock), tools, iap, mic, printing]
            try:
                async with talk.held(*rest, heard=iap.audio_player, mic="until_speech_end", dead_after_s=4):
                    await talk.wait(2)
                    service.first = (created,)
                    await talk.send({"type": "response.create"})
                    await talk.wait(6)
            except RealtimeUtilsError:
                return

    fast_forward.run(main(), clock)
    assert len(talk.conversation.items) <= 4


def read_frame(frame):
    """Read what may be no event: it is refused with the library's own error, or is one."""
    data = frame.encode() if isinstance(frame, str) else frame
    frame_type(data)
    parsed(data)
    try:
        decode(frame)
    except RealtimeUtilsError:
        pass


@st.composite
def damaged(draw):
    """Return the frame of a real event of which some bytes were changed, taken out or said again."""
    data = json.dumps(draw(st.sampled_from(real_events()))).encode()
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = start + draw(st.integers(0, 20))
        data = data[:start] + draw(st.sampled_from([b"", data[start:end] * 2]) | st.binary(max_size=4)) + data[end:]
    return data


FUZZED = {
    "made_up_events": (check, st.lists(EVENTS, max_size=12)),
    "real_events_tampered_with": (check, st.lists(mutated(), max_size=12)),
    "a_session_of_made_up_events": (hold_session, st.lists(EVENTS, max_size=12)),
    "a_session_of_real_events_tampered_with": (hold_session, st.lists(mutated(), max_size=12)),
    "frames_that_are_no_events": (read_frame, st.binary(max_size=200) | st.text(max_size=200) | JSON.map(json.dumps)),
    "frames_that_were_damaged": (read_frame, damaged()),
}
"""By name: what is tried, and with what."""
CASES = Path(__file__).parent / "fuzz_cases"
MINUTES = float(os.environ.get("FUZZ_MINUTES", "0"))


def fuzz(name, start=0, **options):
    """Try many cases of a kind; another start tries others."""

    @seed(start)
    @settings(deadline=None, suppress_health_check=list(HealthCheck), **options)
    @given(FUZZED[name][1])
    def tried(case):
        attempted(name, case)

    tried()


def attempted(name, case):
    """Try a case; one that fails is kept: one for each place that raises, so that the smallest stays."""
    try:
        FUZZED[name][0](case)
    except Exception as error:
        if MINUTES:
            place = traceback.extract_tb(error.__traceback__)[-1]
            path = CASES / f"{name}-{type(error).__name__}-{Path(place.filename).stem}-{place.name}.json"
            told = {"hex": case.hex()} if isinstance(case, bytes) else case
            path.write_text(json.dumps({"of": name, "case": told}, indent=1) + "\n")
        raise


@pytest.fixture(autouse=True)
def _quiet(caplog):
    logging.disable(logging.CRITICAL)  # what is wrong with the events is told thousands of times
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.skipif(MINUTES > 0, reason="they are tried for minutes")
@pytest.mark.parametrize("name", FUZZED)
def test_hostile_events(name):
    """Whatever they hold, nothing is raised but the library's own errors."""
    examples = 40 if FUZZED[name][0] is hold_session else 150
    fuzz(name, max_examples=examples)


@pytest.mark.skipif(MINUTES == 0, reason="FUZZ_MINUTES says for how long")
def test_hostile_events_for_minutes():
    """The same, each round from another seed, until the time is up; all that is found is kept, then told."""
    clock = SystemClock()
    until, found = clock.now() + MINUTES * 60, {}
    rounds = ((number, name) for number in itertools.count() for name in FUZZED)
    for number, name in itertools.takewhile(lambda _: clock.now() < until, rounds):
        try:
            fuzz(name, max_examples=200, database=None, phases=(Phase.generate, Phase.shrink), start=number)
        except Exception as error:  # noqa: BLE001  (told at the end)
            found[f"{name}: {error!r:.200}"] = number
    assert not found, f"{number} rounds found what is kept in {CASES}: {found}"


@pytest.mark.parametrize("path", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_what_was_found_once(path):
    """What once raised is tried again."""
    kept = json.loads(path.read_text())
    case = kept["case"]
    attempted(kept["of"], bytes.fromhex(case["hex"]) if isinstance(case, dict) else case)


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
