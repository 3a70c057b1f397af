"""The client's replica against the server's own record: two readings of the protocol that share no code.

A script of legal and illegal client events runs against the simulated service. What comes back reaches the client late,
in pieces, and reordered where the protocol leaves the order open. Whenever all is quiet, both must hold the same
conversation.
"""

import asyncio
import json
import logging
from collections import deque

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from openai_realtime_api_utils import decode, hook_handlers
from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.middlewares import TrackConversation
from openai_realtime_api_utils.simulator import Faults, ScriptedEngine, memory, opening
from openai_realtime_api_utils.simulator.engine import Call, Fail, Say
from simulated import LoudVad, Wire, append, loud, quiet, update, user_says

TRANSCRIPTION = "conversation.item.input_audio_transcription."

replies = st.lists(
    st.sampled_from([
        "Yes.",
        "A longer sentence, in truth, with many words in it.",
        Say("One moment.", "commentary"),
        Call("f", {"a": "b"}),
        Call("g"),
        Fail("server_error", "No."),
    ]),
    max_size=3,
)  # fmt: skip
utterances = st.sampled_from(["hello there", "", "what is the weather in paris today", Fail("unclear", "It rustles.")])
ms = st.sampled_from([0, 1, 250, 1000, 100_000])
pick = st.integers(0, 30)


@pytest.fixture(autouse=True, scope="module")
def quietly():
    """Keep the warnings about all these refusals to themselves."""
    logger = logging.getLogger("openai_realtime_api_utils")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


class Conversing(RuleBasedStateMachine):
    """Talk, blunder, and compare."""

    @initialize(
        script=st.lists(replies, max_size=8),
        heard=st.lists(utterances, max_size=8),
        transcriber=st.sampled_from([None, "gpt-realtime-whisper", "gpt-4o-transcribe", "whisper-1"]),
        model=st.sampled_from(["gpt-realtime", "gpt-realtime-2.1"]),
    )
    def begin(self, script, heard, transcriber, model):
        self.wire = Wire(script, hears=heard, overhears=True, model=model)
        self.talk = TrackConversation(keep_items=10_000)
        self.on_the_way = deque()
        self.transcribing = deque()
        self.taken = 0
        self.told = set()
        self.is_settled = False
        if transcriber is not None:
            self.send(update(audio={"input": {"transcription": {"model": transcriber}}}))

    # What the client does.

    def send(self, event):
        """Send an event through the client's handler."""
        self.is_settled = False
        sent, _ = self.talk.client_event_handler(event, {}, None)
        self.wire.send(sent)
        self.take()

    def take(self):
        """Put what the server sent on its way."""
        for event in self.wire.events[self.taken :]:
            (self.transcribing if event["type"].startswith(TRANSCRIPTION) else self.on_the_way).append(event)
        self.taken = len(self.wire.events)

    def deliver(self, queue, count):
        """Let the client have the next events of a queue."""
        for _ in range(min(count, len(queue))):
            event = queue.popleft()
            if event["type"].endswith(("transcription.completed", "item.retrieved")):
                self.told.add(event.get("item_id") or event["item"]["id"])
            self.talk.server_event_handler(decode(json.dumps(event)), {}, None)

    def any_id(self, n):
        """Return the id of some item, known, gone or never there."""
        ids = [item["id"] for e in self.wire.events for item in [e.get("item")] if item]
        return ids[n % len(ids)] if ids and n < 28 else "item_unknown"

    @rule(text=st.sampled_from(["hi", "", "Wie geht's? \U0001f600"]), after=st.none() | st.just("root") | pick)
    def say_by_text(self, text, after):
        place = {} if after is None else {"previous_item_id": after if after == "root" else self.any_id(after)}
        self.send(user_says(text, **place))

    @rule(role=st.sampled_from(["system", "assistant"]), with_id=st.booleans(), n=st.integers(0, 10**6))
    def seed(self, role, with_id, n):
        kind = "output_text" if role == "assistant" else "input_text"
        item = {"type": "message", "role": role, "content": [{"type": kind, "text": f"seed {n}"}]}
        if with_id and self.wire.session.conversation.find(f"mine_{n}") is None:
            item["id"] = f"mine_{n}"
        self.send({"type": "conversation.item.create", "item": item})

    @rule(n=pick, output=st.sampled_from(["{}", "sunny"]))
    def answer_a_call(self, n, output):
        calls = [e["call_id"] for e in self.wire.events if e["type"] == "response.function_call_arguments.done"]
        call_id = calls[n % len(calls)] if calls else "call_unknown"
        item = {"type": "function_call_output", "call_id": call_id, "output": output}
        self.send({"type": "conversation.item.create", "item": item})

    @rule(n=pick)
    def delete(self, n):
        self.send({"type": "conversation.item.delete", "item_id": self.any_id(n)})

    @rule(n=pick)
    def retrieve(self, n):
        self.send({"type": "conversation.item.retrieve", "item_id": self.any_id(n)})

    @rule(n=pick, ms=ms)
    def truncate(self, n, ms):
        event = {"type": "conversation.item.truncate", "item_id": self.any_id(n), "content_index": 0}
        self.send({**event, "audio_end_ms": ms})

    @rule(
        response=st.sampled_from([
            {},
            {"output_modalities": ["text"]},
            {"conversation": "none"},
            {"conversation": "none", "output_modalities": ["text"], "input": []},
            {"max_output_tokens": 5},
            {"input": []},
            {"output_modalities": ["smell"]},
        ])
    )  # fmt: skip
    def ask(self, response):
        self.send({"type": "response.create", "response": response})

    @rule(n=st.none() | pick)
    def cancel(self, n):
        ids = [e["response"]["id"] for e in self.wire.events if e["type"] == "response.created"]
        which = {} if n is None else {"response_id": ids[n % len(ids)] if ids else "resp_unknown"}
        self.send({"type": "response.cancel", **which})

    @rule(
        detection=st.sampled_from([
            None,
            {"type": "server_vad"},
            {"type": "server_vad", "create_response": False},
            {"type": "server_vad", "interrupt_response": False},
        ])
    )  # fmt: skip
    def detect_turns(self, detection):
        self.send(update(audio={"input": {"turn_detection": detection}}))

    @rule(seconds=st.sampled_from([0.05, 0.5, 2.0]), silence=st.sampled_from([0.0, 0.3, 1.0]))
    def speak(self, seconds, silence):
        self.send(append(loud(seconds)))
        if silence:
            self.send(append(quiet(silence)))

    @rule(kind=st.sampled_from(["commit", "clear"]))
    def end_speech(self, kind):
        self.send({"type": f"input_audio_buffer.{kind}"})

    @rule(event=st.sampled_from([{}, {"type": "nothing"}, {"type": "conversation.item.create", "item": {"type": "x"}}]))
    def blunder(self, event):
        self.send(event)

    # What the network does.

    @rule(seconds=st.sampled_from([0.01, 0.2, 1.0, 5.0]))
    def wait(self, seconds):
        self.is_settled = False
        self.wire.wait(seconds)
        self.take()

    @rule(count=st.integers(1, 40))
    def arrive(self, count):
        self.deliver(self.on_the_way, count)

    @rule(count=st.integers(1, 10))
    def transcriptions_arrive(self, count):
        self.deliver(self.transcribing, count)

    @precondition(lambda self: not self.is_settled)
    @rule()
    def settle(self):
        """Let everything be said, sent and delivered."""
        self.wire.wait(300)
        self.take()
        self.deliver(self.on_the_way, 10**9)
        self.deliver(self.transcribing, 10**9)
        self.is_settled = True

    def teardown(self):
        if hasattr(self, "wire"):
            self.settle()
            self.agree()

    # What must hold.

    @invariant()
    def agree(self):
        """When all is quiet, the client knows what the server knows."""
        if not self.is_settled:
            return
        agree(self.wire.session.conversation.entries, self.talk, self.wire.events, self.told)


def agree(entries, talk, events, told):
    """Compare the whole record of the server with the client's replica.

    Args:
        entries: the server's record.
        talk: the client's.
        events: all that the server sent.
        told: the items whose transcript has reached the client.
    """
    assert [entry.item["id"] for entry in entries] == [item.id for item in talk.items]
    cuts = {e["item_id"]: e["audio_end_ms"] for e in events if e["type"] == "conversation.item.truncated"}
    for entry, item in zip(entries, talk.items, strict=True):
        agree_on(entry, item, cuts.get(item.id), is_told=item.id in told)
    deleted = {e["item_id"] for e in events if e["type"] == "conversation.item.deleted"}
    assert deleted == set(talk.deleted)
    begun = {e["response"]["id"] for e in events if e["type"] == "response.created"}
    done = {e["response"]["id"]: e["response"]["status"] for e in events if e["type"] == "response.done"}
    assert begun - done.keys() == set(talk.open_responses)
    assert done == {id_: talk.state.response(id_).status for id_ in done}


def agree_on(entry, item, cut, *, is_told):
    """Compare one item with the server's record of it."""
    kept = entry.item
    assert (kept["type"], kept.get("role")) == (item.type, item.role)
    if "status" in kept:
        assert kept["status"] == item.status
    assert (kept.get("name"), kept.get("call_id"), kept.get("output")) == (item.name, item.call_id, item.output)
    assert kept.get("arguments") == item.arguments
    assert kept.get("phase") == item.details.get("phase")
    if cut is not None:
        assert (cut, entry.audio_ms) == (item.truncated_ms, cut)
    elif kept.get("role") == "user" and kept["content"][0]["type"] == "input_audio":
        assert (entry.transcript if is_told else "") == item.text
    else:
        said = [part.get("text") or part.get("transcript") or "" for part in kept.get("content", ())]
        assert " ".join(filter(None, said)) == item.text


Conversing.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestIndependence = Conversing.TestCase

EVENTS = [
    user_says("hello"),
    user_says("hello", previous_item_id="root"),
    {"type": "response.create"},
    {"type": "response.create", "response": {"output_modalities": ["text"]}},
    {"type": "response.create", "response": {"conversation": "none"}},
    {"type": "response.cancel"},
    {"type": "conversation.item.delete", "item_id": "item_unknown"},
    append(loud(0.6)),
    append(quiet(0.7)),
]
shares = st.sampled_from([0.0, 0.3])
faults = st.builds(
    Faults,
    seed=st.integers(0, 99),
    latency_s=st.sampled_from([0.0, 0.2]),
    jitter_s=st.sampled_from([0.0, 0.3]),
    stall=st.none() | st.tuples(st.sampled_from(["response.created", "response.output_audio.delta"]), st.just(2.0)),
    drop=shares,
    duplicate=shares,
    reorder=shares,
    fail_response=st.sampled_from([(), (1,)]),
    rate_limit=st.sampled_from([(), (2,)]),
    start_over=st.sampled_from([(), (1,)]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    script=st.lists(st.sampled_from(EVENTS) | st.floats(0, 3), max_size=15), answers=st.lists(replies), faults=faults
)
def test_agreement_over_a_bad_connection(monkeypatch, script, answers, faults):
    """Over a connection with latency, losses, duplicates and late frames, hooked as in a program, both agree, too."""
    clock, talk, sessions, events, told = ManualClock(), TrackConversation(), [], [], set()

    def open_session(*args, **options):
        sessions.append(opening.open_session(*args, **options))
        return sessions[0]

    def watch(sender, frame):
        if sender == "server":
            events.append(json.loads(frame))

    def tell(event, metadata, _connection):
        if event.type.endswith("transcription.completed"):
            told.add(event.item_id)
        return event, metadata

    async def main():
        engine = ScriptedEngine(answers, ["hello there"] * 9, clock=clock)
        connecting = memory.connect(engine, clock=clock, created_at=0, vad=LoudVad, watch=watch, faults=faults)
        async with connecting as connection:
            handlers = [talk.server_event_handler, tell]
            with hook_handlers(connection, handlers, [talk.client_event_handler], clock=clock) as (receive, send):
                receiving = asyncio.create_task(receive())
                await send(update(audio={"input": {"transcription": {"model": "gpt-realtime-whisper"}}}))
                for step in script:
                    if isinstance(step, float):
                        await clock.sleep_until(clock.now() + step)
                    else:
                        await send(step)
                await clock.sleep_until(clock.now() + 300)
                receiving.cancel()

    monkeypatch.setattr(memory, "open_session", open_session)
    fast_forward.run(main(), clock)
    agree(sessions[0].conversation.entries, talk, events, told)
