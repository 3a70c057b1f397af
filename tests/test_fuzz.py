"""Hostile and broken events raise nothing but the library's own errors, and hold no more memory than is kept.

With ``FUZZ_MINUTES=10`` in the environment it goes on for so long, and writes what it finds, made as small as it can
be, into ``tests/fuzz_cases``, from where every run tries it again.
"""

import itertools
import json
import logging
import os
import traceback
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fakes import Service, closed_by_server
from hostile import EVENTS, JSON, damaged, mutated
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
from openai_realtime_api_utils.state.conversation import Conversation, apply
from openai_realtime_api_utils.state.planting import Planting
from openai_realtime_api_utils.state.restore import fitting, restored
from openai_realtime_api_utils.state.stored import Stored, record
from openai_realtime_api_utils.state.transcript import transcript
from openai_realtime_api_utils.state.unanswered import Unanswered
from openai_realtime_api_utils.state.usage import Usage, add
from talking import Talk


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
