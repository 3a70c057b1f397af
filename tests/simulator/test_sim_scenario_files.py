"""Scenarios in files: dialogues in YAML and recorded sessions; what is wrong with them is told with file and line."""

import asyncio
import sys

import pytest
import yaml

from openai_realtime_api_utils.errors import MissingExtraError, SimulatorError
from openai_realtime_api_utils.simulator import Call, Fail, Say, Wait, load_scenario
from openai_realtime_api_utils.simulator.engine import Turn

DIALOGUE = """
dialogue:
  - opening:
    answer: Hello!
  - heard: what is the weather in paris
    answer:
      - wait: 0.4
      - One moment.
      - call: get_weather
        arguments: {city: Paris}
    then: Sunny.
  - on: thank(s| you)
    answer: {say: You are welcome.}
  - heard: {fail: audio_unintelligible, message: It rustles.}
  - on: book
    answer:
      - call: search
      - then:
          - call: book
          - then: Booked.
  - otherwise:
    answer: {fail: server_error, message: I am lost.}
"""


@pytest.fixture
def written(tmp_path):
    """Write a scenario and return its path."""

    def write(text):
        path = tmp_path / "scenario.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def thought(engine, text=None, **item):
    content = [{"type": "input_text", "text": text}]
    items = [] if text is None and not item else [{"type": "message", "role": "user", "content": content, **item}]

    async def main():
        return [thought async for thought in engine.think(Turn("", items))]

    return asyncio.run(main())


def test_a_dialogue(written):
    """Everything a dialogue can say comes out as it was written."""
    dialogue = load_scenario(written(DIALOGUE))
    assert ["what is the weather in paris", Fail("audio_unintelligible", "It rustles.")] == dialogue.lines
    assert [
        [[Say("Hello!")]],
        [[Wait(0.4), Say("One moment.", "commentary"), Call("get_weather", {"city": "Paris"})], [Say("Sunny.")]],
        [[Say("You are welcome.")]],
        [[]],
        [[Call("search")], [Call("book")], [Say("Booked.")]],
        [[Fail("server_error", "I am lost.")]],
    ] == [rule.responses for rule in dialogue.rules]


def test_a_dialogue_makes_engines(written):
    """Its engines answer by its rules."""
    engine = load_scenario(written(DIALOGUE)).engine()
    assert [Say("Hello!")] == thought(engine)
    assert [Say("You are welcome.")] == thought(engine, "thanks a lot")


ENTRY = "dialogue:\n- on: a\n  answer: "


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty: write a 'dialogue' into it"),
        ("a: [", "line 1: this is no YAML"),
        ("a: *b", "line 1: this is no YAML (found undefined alias 'b')"),
        ("- a", "line 1: 'name: value' is needed here, but this is ['a']"),
        ("a: 1", "line 1: there is neither a 'dialogue' nor the 'interactions' of a recorded session"),
        ("dialogue: []\nmodel: x", "line 2: 'model' is not known here: use one of dialogue"),
        ("dialogue: 3", "line 1: a list is needed here, but this is 3"),
        ("dialogue:\n- onn: a", "line 2: 'onn' is not known here: use one of on, heard, opening, otherwise"),
        ("dialogue:\n- on: a\n  on: b", "line 3: 'on' is here for the second time"),
        ("dialogue:\n- on: a\n  heard: b\n  answer: c", "line 2: an entry has one of on, heard, opening, otherwise"),
        ("dialogue:\n- answer: c", "this has none"),
        ("dialogue:\n- on: a", "line 2: this has no 'answer'"),
        ("dialogue:\n- heard: a\n  then: b", "line 3: there is no 'answer' that this could come after"),
        ("dialogue:\n- on: (\n  answer: a", "line 2: '(' is no regular expression"),
        ("dialogue:\n- on: 3\n  answer: a", "line 2: a text is needed here, but this is 3: put it in quotes"),
        ("dialogue:\n- heard: {message: a}\n  answer: a", "line 2: a text, or 'fail: code', is needed here"),
        ("dialogue:\n- opening: a\n  answer: a", "line 2: nothing is needed after 'opening:', but this is 'a'"),
        (ENTRY + "3", "line 3: 'name: value' is needed here, but this is 3"),
        (ENTRY + "{say: 3}", "line 3: a text is needed here, but this is 3"),
        (ENTRY + "{say: 2026-99-99}", "line 3: this cannot be read (month must be in 1..12)"),
        (ENTRY + "{wait: -1}", "line 3: a number of seconds from 0 is needed here, but this is -1"),
        (ENTRY + "{wait: true}", "line 3: a number of seconds from 0 is needed here, but this is True"),
        (ENTRY + "{wait: .nan}", "line 3: a number of seconds from 0 is needed here, but this is nan"),
        (ENTRY + "{say: a, call: b}", "line 3: a piece has one of say, call, wait, fail, then, but this has say and"),
        (ENTRY + "{say: a, arguments: {}}", "line 3: 'arguments' goes with 'call', but this is 'say'"),
        (ENTRY + "{call: f, arguments: [1]}", "line 3: 'name: value' is needed here, but this is [1]"),
        (ENTRY + "{call: f, arguments: {a: 2026-01-01}}", "line 3: The arguments {'a': datetime.date(2026, 1, 1)}"),
        (ENTRY + "[{then: a}, b]", "line 3: nothing can come after 'then' in the same list"),
        ("interactions: []", "holds no events of a socket"),
        ("interactions:\n- {direction: sent, data: 3}", "line 2: an event with a 'type' is needed here, but this is 3"),
        (
            "interactions:\n- {direction: received, data: {type: response.created}}",
            "is not as the service would send it (KeyError('response')): record it again",
        ),
    ],
)
def test_what_is_wrong_is_told(written, text, sentence):
    """One sentence names the file, the line where there is one, the value, and what to do."""
    path = written(text)
    with pytest.raises(SimulatorError) as told:
        load_scenario(path)
    assert str(told.value).startswith(str(path))
    assert sentence in str(told.value)
    assert 1 == len(str(told.value).splitlines())


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    """Missing files and files that are no text are told, too."""
    with pytest.raises(SimulatorError, match=r"missing\.yaml cannot be read \(No such file"):
        load_scenario(tmp_path / "missing.yaml")
    (tmp_path / "sound.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SimulatorError, match=r"sound\.yaml is not UTF-8 text \(byte 0\)"):
        load_scenario(tmp_path / "sound.yaml")


def response(number, *output, **fields):
    begun = {"type": "response.created", "response": {"id": f"resp_{number}"}}
    return begun, {
        "type": "response.done",
        "response": {"id": f"resp_{number}", "status": "completed", "output": output, **fields},
    }


def test_a_recorded_session(written):
    """What was heard and answered in a recording is heard and answered again, in its order."""
    item = {"type": "message", "content": [{"type": "audio", "transcript": "One moment."}], "phase": "commentary"}
    call = {"type": "function_call", "name": "f", "arguments": '{\n"a": 1}'}
    failed = {"type": "failed", "error": {"code": "insufficient_quota", "message": "No."}}
    transcription = "conversation.item.input_audio_transcription"
    first, second = response(1, item, call), response(2, status="failed", status_details=failed)
    events = [
        {"type": "session.created", "session": {"model": "gpt-realtime"}},
        {"type": "input_audio_buffer.committed", "item_id": "item_1"},
        {"type": "input_audio_buffer.committed", "item_id": "item_2"},
        first[0],
        second[0],
        second[1],
        first[1],
        {"type": f"{transcription}.failed", "item_id": "item_2", "error": {"code": "c", "message": "m"}},
        {"type": f"{transcription}.completed", "item_id": "item_1", "transcript": "hi"},
    ]
    interactions = [{"kind": "message", "direction": "received", "data": event} for event in events]
    path = written(yaml.safe_dump({"interactions": [{"kind": "http"}, *interactions]}))
    recorded = load_scenario(path)
    assert "gpt-realtime" == recorded.model
    assert ["hi", Fail("c", "m")] == recorded.hears
    engine = recorded.engine()
    assert [Say("One moment.", "commentary"), Call("f", {"a": 1})] == thought(engine)
    assert [Fail("insufficient_quota", "No.")] == thought(engine)
    with pytest.raises(SimulatorError, match="no reply"):
        thought(engine)


def test_without_pyyaml_it_is_told(written, monkeypatch):
    """The package that reads files is optional, and named where it is needed."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(
        MissingExtraError, match=r"A scenario needs the package 'yaml'.*openai-realtime-api-utils\[local\]"
    ):
        load_scenario(written(DIALOGUE))


def test_recorded_arguments_that_are_no_json_are_told(written):
    """What a recording's call holds must be JSON to be called again."""
    call = {"type": "function_call", "name": "f", "arguments": "{"}
    events = [{"kind": "message", "direction": "received", "data": event} for event in response(1, call)]
    with pytest.raises(SimulatorError, match=r"The recorded arguments '\{' are not JSON .*: mend them"):
        load_scenario(written(yaml.safe_dump({"interactions": events})))
