"""What the server is told after an interruption."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.ports import SpeechId
from openai_realtime_api_utils.state.interruption import Interruption, patience_ms
from openai_realtime_api_utils.state.playhead import Cut

TOO_LONG = "Audio content of 3700ms is already shorter than 3760ms"
NOT_AUDIO = "Only model output audio messages can be truncated"


def cut(item_id="item_1", heard_ms=500, received_ms=2_000, response_id="resp_1", content_index=0):
    return Cut(SpeechId(item_id, content_index), heard_ms, received_ms, response_id)


def interrupt(state, *cuts, open_responses=(), out_of_band=(), server_cancels=False):
    """Interrupt; responses whose id begins with ``oob`` are out of band."""
    return state.interrupt(
        cuts,
        open_responses={r: r.startswith("oob") for r in open_responses},
        out_of_band=out_of_band,
        server_cancels=server_cancels,
    )


def short(events):
    """Return events as (type, id, milliseconds)."""
    return [(e["type"].rpartition(".")[2], e.get("response_id") or e["item_id"], *filter_ms(e)) for e in events]


def filter_ms(event):
    return [event["audio_end_ms"]] if "audio_end_ms" in event else []


def test_the_item_heard_is_truncated_there_and_later_ones_at_nothing():
    """In the order of playing, each by its content part."""
    state = Interruption()
    decision = interrupt(state, cut(), cut("item_2", 0, 900, content_index=1))
    truncate = {"type": "conversation.item.truncate", "content_index": 0}
    assert [
        {**truncate, "item_id": "item_1", "audio_end_ms": 500, "event_id": "interrupt_1"},
        {**truncate, "item_id": "item_2", "audio_end_ms": 0, "event_id": "interrupt_2", "content_index": 1},
    ] == decision.events


def test_cancel_comes_first_and_names_the_response():
    """A response that is open, where the server does not cancel by itself."""
    decision = interrupt(Interruption(), cut(), open_responses=["resp_1"])
    assert [("cancel", "resp_1"), ("truncate", "item_1", 500)] == short(decision.events)


def test_no_cancel_where_the_server_cancels():
    """It would be refused."""
    decision = interrupt(Interruption(), cut(), open_responses=["resp_1"], server_cancels=True)
    assert [("truncate", "item_1", 500)] == short(decision.events)


def test_no_cancel_where_nothing_is_open():
    """All was generated; only the truncation is needed."""
    assert [("truncate", "item_1", 500)] == short(interrupt(Interruption(), cut()).events)


def test_a_response_that_has_not_spoken_is_cancelled():
    """And that is an interruption."""
    decision = interrupt(Interruption(), open_responses=["resp_1"])
    assert ([("cancel", "resp_1")], True) == (short(decision.events), decision.is_interruption)


def test_nothing_to_interrupt_is_no_interruption():
    """Silence answers silence."""
    assert ([], False) == interrupt(Interruption())


def test_once_per_interruption():
    """The cancel is not repeated while the response is closing."""
    state = Interruption()
    interrupt(state, cut(), open_responses=["resp_1"])
    assert ([], False) == interrupt(state, open_responses=["resp_1"])


def test_a_response_cancelled_by_the_server_is_not_cancelled_again():
    """A key pressed while the server is at it adds nothing."""
    state = Interruption()
    interrupt(state, cut(), open_responses=["resp_1"], server_cancels=True)
    assert ([], False) == interrupt(state, open_responses=["resp_1"])


def test_out_of_band_speech_is_cancelled_by_id_and_never_truncated():
    """The server cancels nothing out of band, and there is nothing to truncate."""
    speech = cut("item_o", response_id="oob_1")
    decision = interrupt(
        Interruption(),
        speech,
        open_responses=["oob_1", "oob_silent"],
        out_of_band=[speech.speech_id],
        server_cancels=True,
    )
    assert ([("cancel", "oob_1")], True) == (short(decision.events), decision.is_interruption)


def test_beside_a_call_nothing_is_sent():
    """There the server knows what was played."""
    state = Interruption()
    state.is_sideband = True
    decision = interrupt(state, open_responses=["resp_1"])
    late = state.came_late(SpeechId("item_1"), "resp_1")
    assert ([], True, []) == (*decision, late)


def test_speech_that_came_late_was_not_heard():
    """Once for each item; the one that was cut has been told."""
    state = Interruption()
    interrupt(state, cut(), open_responses=["resp_1"])
    late = [state.came_late(SpeechId(i), "resp_1") for i in ("item_1", "item_2", "item_2")]
    assert [[], [("truncate", "item_2", 0)], []] == [short(events) for events in late]


def test_pieces_of_speech_that_was_heard_are_not_late_speech():
    """Not even where its response was never announced."""
    state = Interruption()
    interrupt(state, cut(response_id=None))
    assert [] == state.came_late(SpeechId("item_1"), None)


def refuse(state, event, code="invalid_value", message=TOO_LONG, open_responses=()):
    return state.refused(event["event_id"], code=code, message=message, open_responses=open_responses)


def test_a_truncation_past_the_end_is_sent_once_more_with_the_servers_length():
    """And the difference is kept as a margin for the next."""
    state = Interruption()
    (event,) = interrupt(state, cut(heard_ms=3_760, received_ms=3_800)).events
    refusal = refuse(state, event)
    (again,) = refusal.events
    (later,) = interrupt(state, cut("item_2", 1_990, 2_000)).events
    assert (True, ("truncate", "item_1", 3_700), 60) == (refusal.is_handled, *short([again]), state.margin_ms)
    assert ("truncate", "item_2", 1_940) == short([later])[0]


def test_a_second_refusal_is_left_to_be_told():
    """Nobody debugs a silent refusal."""
    state = Interruption()
    (event,) = interrupt(state, cut(heard_ms=3_760, received_ms=3_800)).events
    (again,) = refuse(state, event).events
    assert ([], False) == refuse(state, again)


@pytest.mark.parametrize("length", ["3760", "999999999", "9" * 5_000, "-5", "x"])
def test_a_refusal_that_makes_no_sense_is_left_to_be_told(length):
    """A length that is no shorter than what was asked for is none; nothing past what sounded is ever asked for."""
    state = Interruption()
    (event,) = interrupt(state, cut(heard_ms=3_760, received_ms=3_800)).events
    told = f"Audio content of {length}ms is already shorter than 3760ms"
    assert ([], False, 0) == (*refuse(state, event, message=told), state.margin_ms)


def test_what_nobody_heard_is_deleted_if_it_cannot_be_truncated():
    """At once, where its response is done."""
    state = Interruption()
    (event,) = interrupt(state, cut(heard_ms=0)).events
    refusal = refuse(state, event, None, NOT_AUDIO)
    assert ([("delete", "item_1")], True) == (short(refusal.events), refusal.is_handled)


def test_deletion_waits_until_the_response_is_done():
    """The server would go on writing to the item."""
    state = Interruption()
    events = interrupt(state, cut(heard_ms=0), open_responses=["resp_1", "resp_2"], server_cancels=True).events
    refusal = refuse(state, events[-1], None, NOT_AUDIO, ["resp_1", "resp_2"])
    other = state.response_done("resp_2", open_responses=["resp_1"])
    own = state.response_done("resp_1", open_responses=["resp_1"])  # whether it is still among the open or not
    again = state.response_done("resp_1", open_responses=[])
    assert ([], True, [], [("delete", "item_1")], []) == (*refusal, other, short(own), again)


def test_what_was_heard_is_never_deleted():
    """Better too much in the model's memory than too little."""
    state = Interruption()
    (event,) = interrupt(state, cut()).events
    assert ([], False) == refuse(state, event, None, NOT_AUDIO)


@pytest.mark.parametrize("heard_ms", [0, 500])
def test_an_item_that_is_gone_needs_nothing(heard_ms):
    """Somebody deleted it."""
    state = Interruption()
    (event,) = interrupt(state, cut(heard_ms=heard_ms)).events
    assert ([], True) == refuse(state, event, "item_truncate_invalid_item_id", "unknown")


@pytest.mark.parametrize(("code", "is_handled"), [("response_cancel_not_active", True), ("server_error", False)])
def test_a_cancel_that_came_too_late_means_nothing(code, is_handled):
    """Any other refusal is told."""
    state = Interruption()
    (event,) = interrupt(state, open_responses=["resp_1"]).events
    assert ([], is_handled) == refuse(state, event, code, "")


def test_a_deletion_of_what_is_gone_means_nothing():
    """It is what was wanted."""
    state = Interruption()
    (event,) = interrupt(state, cut(heard_ms=0)).events
    (deletion,) = refuse(state, event, None, NOT_AUDIO).events
    assert ([], True) == refuse(state, deletion, "item_delete_invalid_item_id", "")


def test_other_peoples_errors_are_left_alone():
    """Only our own event ids are ours."""
    assert ([], False) == refuse(Interruption(), {"event_id": "evt_5"})


def test_memory_is_bounded():
    """A thousand interruptions are not remembered for ever."""
    state = Interruption()
    for n in range(1_000):
        interrupt(state, cut(f"item_{n}", response_id=f"resp_{n}"), open_responses=[f"resp_{n}"])
        state.came_late(SpeechId(f"late_{n}"), f"resp_{n}")
        state.response_done(f"resp_{n}", open_responses=[])
    assert 64 >= max(len(state._asked), len(state._truncated))
    assert (set(), {}, []) == (state._ended, state._truncated, state._doomed)


cuts = st.builds(
    lambda item, received, share, response: Cut(SpeechId(item), int(received * share), received, response),
    st.sampled_from(["a", "b", "c"]),
    st.integers(0, 60_000),
    st.floats(0, 1),
    st.sampled_from(["r1", "r2", "oob"]),
)
actions = st.one_of(
    st.tuples(st.just("interrupt"), st.lists(cuts, max_size=3), st.sets(st.sampled_from(["r1", "r2", "oob"]))),
    st.tuples(st.just("refuse"), st.integers(1, 20), st.sampled_from([TOO_LONG, NOT_AUDIO, ""])),
    st.tuples(st.just("done"), st.sampled_from(["r1", "r2", "oob"]), st.none()),
)


@given(st.lists(actions, max_size=15))
def test_no_truncation_exceeds_what_was_received(script):
    """Nor names a negative time, nor uses an event id twice, whatever the server refuses."""
    state, longest, events = Interruption(), {}, []
    for action, value, more in script:
        if action == "interrupt":
            for c in value:
                longest[c.speech_id.item_id] = max(longest.get(c.speech_id.item_id, 0), c.received_ms)
            events += interrupt(state, *value, open_responses=more, server_cancels=bool(value)).events
        elif action == "refuse":
            events += state.refused(f"interrupt_{value}", code=None, message=more, open_responses=()).events
        else:
            events += state.response_done(value, open_responses=())
    for event in events:
        if "audio_end_ms" in event and event["audio_end_ms"] != 3_700:
            assert 0 <= event["audio_end_ms"] <= longest[event["item_id"]]
    ids = [event["event_id"] for event in events]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(
    ("by_server", "interrupts", "detects", "expected"),
    [
        (True, True, True, 0),
        (True, False, True, 200),
        (False, True, True, 600),
        (False, False, True, 600),
        (False, False, False, 200),
    ],
)
def test_patience(by_server, interrupts, detects, expected):
    """None where the server has cancelled already; a local detector is to be confirmed where the server hears too."""
    assert expected == patience_ms(
        by_server=by_server,
        interrupts_by_itself=interrupts,
        detects_turns=detects,
        min_interruption_ms=200,
        confirm_ms=600,
    )
