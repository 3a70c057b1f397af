"""The session is what the server acknowledged; what was asked of it is what was not refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime_api_utils.state.config import (
    Config,
    asked,
    drift,
    interrupts_by_itself,
    merge,
    refused,
    session_type,
    stated,
    turn_detection,
)

VAD = {"type": "server_vad", "threshold": 0.5, "create_response": True, "interrupt_response": True}


def session(**input_):
    return {"type": "realtime", "object": "realtime.session", "audio": {"input": input_}}


def asking(*updates, config=None):
    """Return the state after updates were sent, each given as (event id, session)."""
    config = config or Config()
    for event_id, update in updates:
        config = asked(config, event_id, update)
    return config


def answered(config, times=1):
    """Return the state after so many ``session.updated``."""
    for _ in range(times):
        config = stated(config, session(), is_answer=True)
    return config


def test_created_answers_no_update():
    """An update sent before ``session.created`` came is still pending after it."""
    config = stated(asking(("e1", {"instructions": "a"})), session(), is_answer=False)
    assert ["e1"] == [update.event_id for update in config.pending]


def test_updated_answers_the_oldest_update():
    """Updates are answered in the order in which they were sent."""
    config = answered(asking(("e1", {"instructions": "a"}), ("e2", {"instructions": "b"})))
    assert (["e1"], ["e2"]) == (
        [update.event_id for update in config.accepted],
        [update.event_id for update in config.pending],
    )


def test_updates_merge():
    """Only what an update mentions changes; what it clears is cleared."""
    config = asking(
        (
            "e1",
            {
                "type": "realtime",
                "instructions": "a",
                "audio": {"input": {"turn_detection": VAD}, "output": {"speed": 2}},
            },
        ),
        ("e2", {"instructions": "", "audio": {"input": {"turn_detection": None}}}),
    )
    expected = {
        "type": "realtime",
        "instructions": "",
        "audio": {"input": {"turn_detection": None}, "output": {"speed": 2}},
    }
    assert expected == config.requested


def test_an_object_of_another_type_replaces():
    """Semantic VAD does not inherit the threshold of server VAD; a partial one does."""
    semantic = {"type": "semantic_vad", "eagerness": "low"}
    assert {"turn_detection": semantic} == merge({"turn_detection": VAD}, {"turn_detection": semantic})
    assert {"turn_detection": {**VAD, "threshold": 0.9}} == merge(
        {"turn_detection": VAD}, {"turn_detection": {"threshold": 0.9}}
    )


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
updates = st.dictionaries(st.sampled_from("abc"), json_like, max_size=3)


@settings(deadline=None)
@given(updates, updates)
def test_merging_laws(one, other):
    """Merging nothing changes nothing; merging twice is merging once; the arguments stay as they were."""
    assert one == merge(one, {}) == merge({}, one)
    merged = merge(one, other)
    assert merged == merge(merged, other)


def test_a_refused_update_is_taken_back():
    """The error names it by its id."""
    config = refused(asking(("e1", {"instructions": "a"}), ("e2", {"type": "realtime"})), "e1", "session.type")
    assert {"type": "realtime"} == config.requested
    assert ["e2"] == [update.event_id for update in config.pending]


def test_a_refusal_that_comes_late_is_understood():
    """If the answer was taken for the refused update's, it was the next one's."""
    config = answered(asking(("e1", {"instructions": "a"}), ("e2", {"tools": []})))
    config = refused(config, "e1", None)
    assert (["e2"], ()) == ([update.event_id for update in config.accepted], config.pending)
    assert {"tools": []} == config.requested


@pytest.mark.parametrize("param", ["session", "session.audio.input"])
def test_without_ids_an_error_on_the_session_is_on_the_oldest_update(param):
    """The field at fault tells as much as can be told."""
    config = refused(asking((None, {"instructions": "a"}), (None, {"tools": []})), None, param)
    assert {"tools": []} == config.requested


@pytest.mark.parametrize(("event_id", "param"), [("other", "session.type"), (None, None), (None, "item.sessions")])
def test_other_errors_are_not_ours(event_id, param):
    """An error on something else leaves all updates pending."""
    config = asking((None, {"instructions": "a"}))
    assert config == refused(config, event_id, param)


def test_an_update_with_an_id_is_not_refused_by_guess():
    """An error that names no event cannot be on an update that has an id."""
    config = asking(("e1", {"instructions": "a"}))
    assert config == refused(config, None, "session.type")


def test_old_updates_are_merged():
    """However many updates there are, a bounded number is kept apart, and none is lost."""
    names = [f"field{n}" for n in range(40)]
    config = Config()
    for n, name in enumerate(names):
        config = answered(asking((f"e{n}", {name: n}), config=config))
    assert {name: n for n, name in enumerate(names)} == config.requested
    assert 16 == len(config.accepted)


@pytest.mark.parametrize(
    ("stated_session", "expected"),
    [
        (None, "realtime"),
        ({"type": "realtime"}, "realtime"),
        ({"type": "transcription"}, "transcription"),
        ({"object": "realtime.transcription_session"}, "transcription"),
        ({"type": "translation"}, "translation"),
    ],
)
def test_session_types(stated_session, expected):
    """The session tells its type; unknown, it is a conversation."""
    config = Config() if stated_session is None else stated(Config(), stated_session, is_answer=False)
    assert expected == session_type(config)


def test_the_type_asked_for_counts_until_the_server_tells():
    """Before the first answer the client's own update tells the type."""
    assert "transcription" == session_type(asking(("e1", {"type": "transcription"})))


@pytest.mark.parametrize(
    ("detection", "type_", "expected"),
    [
        (VAD, "realtime", True),
        ({"type": "semantic_vad"}, "realtime", True),
        ({**VAD, "interrupt_response": False}, "realtime", False),
        (None, "realtime", False),
        (VAD, "transcription", False),
    ],
)
def test_who_interrupts(detection, type_, expected):
    """The server cancels by itself if it detects turns in a conversation, and was not told otherwise."""
    config = stated(Config(), {**session(turn_detection=detection), "type": type_}, is_answer=False)
    assert detection == turn_detection(config)
    assert expected == interrupts_by_itself(config)


def test_turn_detection_is_on_by_default():
    """Nothing known, or nothing told, it is server VAD; a translation has none."""
    assert {"type": "server_vad"} == turn_detection(Config())
    assert {"type": "server_vad"} == turn_detection(stated(Config(), session(), is_answer=False))
    assert turn_detection(stated(Config(), {"type": "translation"}, is_answer=False)) is None


def test_drift_is_what_differs():
    """A field that the server shows otherwise than it was asked for is told by its path."""
    config = asking(
        ("e1", {"audio": {"input": {"turn_detection": {"threshold": 0.9}}}, "tools": [{"name": "a"}, {"name": "b"}]})
    )
    shown = {**session(turn_detection=VAD), "tools": [{"name": "a", "description": None}, {"name": "c"}]}
    expected = ("session.audio.input.turn_detection.threshold", "session.tools.1.name")
    assert expected == drift(stated(config, shown, is_answer=True))


def test_a_list_of_another_length_is_drift():
    """A tool that is missing is told."""
    config = stated(asking(("e1", {"tools": [{"name": "a"}]})), {"tools": []}, is_answer=True)
    assert ("session.tools",) == drift(config)


def test_what_is_not_shown_is_no_drift():
    """Unknown is not different; nor are two ways to say nothing."""
    update = {
        "reasoning": {"effort": "low"},
        "parallel_tool_calls": True,
        "instructions": "",
        "prompt": None,
        "audio": {"input": {"transcription": {"model": "gpt-live-transcribe", "delay": "low"}}},
        "tools": [{"type": "mcp", "server_label": "dice", "authorization": "secret", "headers": {"A": "b"}}],
    }
    shown = {
        "reasoning": None,
        "instructions": None,
        "audio": {"input": {"transcription": {"model": "gpt-live-transcribe", "languages": []}}},
        "tools": [{"type": "mcp", "server_label": "dice", "authorization": None, "headers": None}],
    }
    assert () == drift(stated(asking(("e1", update)), shown, is_answer=True))


def test_pending_updates_are_no_drift():
    """What the server has not answered cannot differ yet."""
    config = asking(("e2", {"instructions": "b"}), config=answered(asking(("e1", {"instructions": "a"}))))
    assert () == drift(stated(config, {"instructions": "a"}, is_answer=False))


def test_secrets_are_not_shown():
    """What an update holds is not in the representation of the state."""
    config = answered(asking(("e1", {"tools": [{"authorization": "Bearer xyz"}]}), ("e2", {"a": "Bearer xyz"})))
    assert "xyz" not in repr(config)
