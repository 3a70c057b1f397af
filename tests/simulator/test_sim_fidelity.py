"""Hold the simulator against recorded sessions (``REALTIME_RECORDINGS`` names their folder), and its own against it."""

import asyncio
import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator import Dialogue, connect, synthetic_speech
from simulated import append, quiet, user_says
from tools import fidelity

FOLDER = os.environ.get("REALTIME_RECORDINGS")
PATHS = sorted(Path(FOLDER).glob("*.yaml")) if FOLDER else []
NONE = pytest.param(None, marks=pytest.mark.skip(reason="REALTIME_RECORDINGS names no folder of recorded sessions"))


@pytest.mark.parametrize("path", PATHS or [NONE], ids=lambda path: path and path.stem)
def test_a_recorded_session(path):
    """Order, fields, values and ids of the server's events are the recording's, but for what is known and told."""
    outcome = fidelity.compare(path)
    if outcome is None:
        pytest.skip("it is not of a socket")
    assert [] == [difference for difference in outcome.differences if difference not in fidelity.ALLOWED]


def rows(text):
    """Return the rows of the tables in a text by their first cell."""
    return dict(row.strip("| ").split(" | ", 1) for row in text.splitlines() if row.startswith("| "))


def test_the_table_is_fresh():
    """What the table in the docs says of these recordings is what ``python -m tools.fidelity`` finds."""
    if not PATHS:
        pytest.skip("REALTIME_RECORDINGS names no folder of recorded sessions")
    told, found = rows(fidelity.PAGE.read_text()), rows(fidelity.table(fidelity.outcomes_of(Path(FOLDER))))
    of_both = told.keys() & found.keys()
    assert {name: told[name] for name in of_both} == {name: found[name] for name in of_both}


async def _holding(connection, record, clock):
    """Hold a spoken turn that calls a function, and a typed one, and keep what goes both ways."""

    async def receive():
        with suppress(asyncio.CancelledError):
            while True:
                record("received", json.loads(await connection.recv_bytes()))

    async def send(event):
        record("sent", {k: v for k, v in event.items() if k != "audio"})
        await connection.send(event)

    receiving = asyncio.create_task(receive())
    transcription = {"input": {"transcription": {"model": "gpt-realtime-whisper"}}}
    await send({"type": "session.update", "session": {"type": "realtime", "audio": transcription}})
    await send(append(quiet(1.0)))
    await send(append(synthetic_speech("what is the weather in paris today")))
    for _ in range(40):
        await send(append(quiet(0.02)))
        await clock.sleep_until(clock.now() + 0.02)
    await clock.sleep_until(clock.now() + 20)
    return send, receiving


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Record a session with the simulator itself; return its messages."""
    clock, messages = ManualClock(), []
    dialogue = Dialogue()
    dialogue.hear("what is the weather").call("get_weather", city="Paris").then_say("It is sunny.")
    dialogue.on("thanks").say("You are welcome.")

    async def main():
        async with connect(dialogue.engine(clock=clock), clock=clock, created_at=0) as connection:
            send, receiving = await _holding(connection, lambda *message: messages.append(message), clock)
            (call_id,) = [e["call_id"] for _, e in messages if e["type"].endswith("arguments.done")]
            output = {"type": "function_call_output", "call_id": call_id, "output": "{}"}
            for event in (
                {"type": "conversation.item.create", "item": output},
                {"type": "response.create"},
                user_says("thanks"),
                {"type": "response.create", "response": {"output_modalities": ["text"]}},
            ):
                await send(event)
                await clock.sleep_until(clock.now() + 20)
            receiving.cancel()

    fast_forward.run(main(), clock)
    return messages


def differences(tmp_path, messages):
    path = tmp_path / "own.yaml"
    interactions = [{"kind": "message", "direction": d, "data": event} for d, event in messages]
    path.write_text(yaml.safe_dump({"interactions": interactions}))
    return fidelity.compare(path).differences


def test_its_own_session_agrees(own, tmp_path):
    """A session that the simulator itself recorded is played again to the letter."""
    assert [] == differences(tmp_path, own)


def place(messages, kind, nth=0):
    return [i for i, (_, event) in enumerate(messages) if event["type"] == kind][nth]


def without(key):
    def change(event):
        del event[key]

    return change


def changed(key, value):
    return lambda event: event.update({key: value})


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        ("conversation.item.added", without("previous_item_id"), "previous_item_id is not in the recording"),
        ("conversation.item.added", changed("note", "x"), "note is missing"),
        ("response.output_item.done", changed("output_index", 7), "output_index was 7, but 0 came"),
        ("response.output_item.done", lambda e: e["item"].update(status="incomplete"), "'incomplete'"),
        ("response.output_item.done", lambda e: e["item"].update(id="item_other"), "item.id was"),
        ("response.function_call_arguments.done", changed("arguments", '{"city": "Rome"}'), "was 'Rome'"),
        (f"{fidelity.TRANSCRIPTION}completed", changed("content_index", 1), "content_index was 1"),
        (f"{fidelity.TRANSCRIPTION}delta", changed("delta", "so"), "the deltas say 'so"),
    ],
)
def test_a_session_that_was_tampered_with_differs(own, tmp_path, kind, change, told):
    """The comparison sees fields that are gone, new or changed, ids in other places, and times."""
    messages = [(direction, json.loads(json.dumps(event))) for direction, event in own]
    change(messages[place(messages, kind)][1])
    found = differences(tmp_path, messages)
    assert any(told in each for each in found), found


@pytest.mark.parametrize("kind", ["conversation.item.done", "response.output_audio.done", "response.done"])
def test_a_session_in_another_order_differs(own, tmp_path, kind):
    """Two events that changed places are seen."""
    messages = list(own)
    at = place(messages, kind, -1)
    messages[at - 1], messages[at] = messages[at], messages[at - 1]
    assert [d for d in differences(tmp_path, messages) if "was recorded" in d]


def test_an_event_too_many_differs(own, tmp_path):
    """An event that the recording has and the simulator has not is seen."""
    messages = list(own)
    messages.insert(place(messages, "response.done") - 1, ("received", {"type": "response.strange", "event_id": "e"}))
    assert [d for d in differences(tmp_path, messages) if "response.strange was recorded" in d]


def test_turns_elsewhere_differ(own, tmp_path, monkeypatch):
    """Turns that begin and end too far from the recorded ones are seen."""
    monkeypatch.setattr(fidelity, "TOLERANCE_MS", -1)
    assert [d for d in differences(tmp_path, own) if d.endswith(" ms off")]
