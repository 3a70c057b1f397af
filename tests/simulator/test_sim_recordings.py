"""Hold the simulator against recorded sessions: the same events, of the same shape, in the same order."""

import os
from pathlib import Path

import pytest
import yaml

from openai_realtime_api_utils.simulator.engine import Call, Say
from simulated import LoudVad, Wire, append, loud, quiet, types

FOLDER = os.environ.get("REALTIME_RECORDINGS")
NAMES = [
    "openai_server_vad_turn",
    "openai_tool_call_round",
    "openai_text_in_audio_out",
    "openai_history_seeding",
    "openai_sideband_text_turn",
    "openai_2_1_tool_round_with_commentary",
    "azure_spoken_turn_with_tool",
]
SPOKEN = {"response.output_audio.delta", "response.output_audio_transcript.delta"}


def recording(name):
    if FOLDER is None:
        pytest.skip("REALTIME_RECORDINGS does not name the folder of recorded sessions")
    messages = yaml.safe_load((Path(FOLDER) / f"{name}.yaml").read_text())["interactions"]
    return [(m["direction"], m["data"]) for m in messages]


def received(messages):
    return [data for direction, data in messages if direction == "received"]


def replies(messages):
    """Return what the model said and called, response by response."""
    done = [event["response"] for event in received(messages) if event["type"] == "response.done"]
    return [[thought(item) for item in response["output"]] for response in done]


def thought(item):
    if item["type"] == "function_call":
        return Call(item["name"], yaml.safe_load(item["arguments"]))
    part = item["content"][0]
    return Say(part.get("text") or part["transcript"], item.get("phase") or "final_answer")


def replayed(messages):
    """Send the simulator what the recorded client sent, and return what it answers."""
    model = next((e["session"]["model"] for e in received(messages) if "session" in e), None)
    hears = [e["transcript"] for e in received(messages) if e["type"].endswith("transcription.completed")]
    wire = Wire(replies(messages), hears=hears, overhears=True, vad=LoudVad, model=model)
    has_spoken = False
    for direction, data in messages:
        if direction == "received":
            continue
        wire.wait(10)
        if data["type"] != "input_audio_buffer.append":
            wire.send(with_own_call_id(data, wire))
        elif not has_spoken:  # the recorder cut the sound away: other sound takes its place
            has_spoken = True
            for sound in (quiet(1), loud(2), quiet(1)):
                wire.send(append(sound))
    wire.wait(10)
    return wire.events


def with_own_call_id(event, wire):
    if event.get("item", {}).get("type") != "function_call_output":
        return event
    calls = [e["call_id"] for e in wire.events if e["type"] == "response.function_call_arguments.done"]
    return event | {"item": event["item"] | {"call_id": calls[-1]}}


def main_line(events):
    """Return the types in order without what interleaves freely, and runs of deltas as one."""
    line = []
    for event in events:
        kind = event["type"]
        if "input_audio_transcription" in kind or kind == "rate_limits.updated":
            continue
        kind = "spoken deltas" if kind in SPOKEN else kind
        if not (kind.endswith(("deltas", ".delta")) and line[-1:] == [kind]):
            line.append(kind)
    return line


@pytest.mark.parametrize("name", NAMES)
def test_order_of_events(name):
    """The simulator's events come in the order of the recording."""
    messages = recording(name)
    expected = main_line(received(messages))
    answered = main_line(replayed(messages))
    if "session.created" not in expected:  # a sideband gets none
        answered.remove("session.created")
    assert answered == expected


def shape(value):
    """Return the names and the kinds of an event's fields."""
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items() if k not in ("tools", "content" if "part" in value else "")}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


@pytest.mark.parametrize("name", NAMES)
def test_shape_of_events(name):
    """Each of the simulator's events has the fields of the recorded one at its place, and values of the same kind."""
    messages = recording(name)
    expected, answered = {}, {}
    for events, shapes in ((received(messages), expected), (replayed(messages), answered)):
        for event in events:
            shapes.setdefault((event["type"], event.get("item", {}).get("type")), []).append(shape(event))
    for key, shapes in expected.items():
        assert (key, answered[key][0]) == (key, shapes[0])


@pytest.mark.parametrize("name", NAMES)
def test_transcription_follows_the_recording(name):
    """Deltas of the user's transcript come before it is complete, and are those words."""
    messages = recording(name)
    of_input = [e for e in replayed(messages) if "input_audio_transcription" in e["type"]]
    expected = [e["type"] for e in received(messages) if "input_audio_transcription" in e["type"]]
    assert types(of_input) == list(dict.fromkeys(expected))
    said = "".join(e.get("delta", "") for e in of_input).removeprefix(" ")
    assert said == "".join(e.get("transcript", "") for e in of_input)


@pytest.mark.parametrize("name", NAMES)
def test_previous_item_ids(name):
    """``previous_item_id`` names the item at the same place as in the recording, its quirk in ``done`` included."""
    messages = recording(name)

    def chain(events):
        order, pairs = [None], []
        for event in events:
            if event["type"] in ("conversation.item.added", "conversation.item.done"):
                if event["item"]["id"] not in order:
                    order.append(event["item"]["id"])
                pairs.append((event["type"], order.index(event["item"]["id"]), order.index(event["previous_item_id"])))
        return pairs

    assert chain(replayed(messages)) == chain(received(messages))
