"""What a new session is given: the rules, and the laws of bringing one up to date."""

from hypothesis import given
from hypothesis import strategies as st

from made_events import added, made, message, spoken_answer, spoken_end
from openai_realtime_api_utils.state.conversation import Conversation, apply
from openai_realtime_api_utils.state.restore import UNTRANSCRIBED, Restored, difference, fitting, restored


def conversation(*events):
    held = Conversation()
    for event in events:
        apply(held, event)
    return held


def params(*events, **options):
    return [one.param for one in restored(conversation(*events).items, **options)]


def text(item_id, words="x", role="user"):
    kind = "output_text" if role == "assistant" else "input_text"
    return {"id": item_id, "type": "message", "role": role, "content": [{"type": kind, "text": words}]}


def test_only_declared_fields_are_sent():
    """No status, no phase, no object: what the API declares for items that clients create."""
    item = message("item_1", "assistant", "Hello.", phase="final_answer", object="realtime.item")
    assert [text("item_1", "Hello.", "assistant")] == params(added(item))


def test_speech_returns_as_its_words():
    """The assistant's as heard, the user's as transcribed."""
    done = made("conversation.item.input_audio_transcription.completed", item_id="u", content_index=0, transcript="Hi.")
    events = [
        added(message("u")),
        done,
        *spoken_answer("r", "a", "u", "Well ", "then."),
        *spoken_end("r", "a", "Well then."),
    ]
    assert [text("u", "Hi."), text("a", "Well then.", "assistant")] == params(*events)


def test_what_nobody_heard_is_left_out():
    """An answer that was cut before its first word is not restored."""
    events = [*spoken_answer("r", "a", "u", "Well"), *spoken_end("r", "a", "Well", "cancelled")]
    cut = made("conversation.item.truncated", item_id="a", content_index=0, audio_end_ms=0)
    assert [] == params(*events, cut)


def test_speech_without_words_returns_as_sound_or_is_told():
    """Kept sound stands for the words; where there is none, a line says so."""
    (as_sound,) = params(added(message("u")), user_audio={"u": "AAAA"})
    (as_line,) = params(added(message("u")))
    assert [{"type": "input_audio", "audio": "AAAA"}] == as_sound["content"]
    assert text("u", UNTRANSCRIBED) == as_line


def test_outputs_go_with_their_calls():
    """A call that never came whole is left out, and an output without its call."""
    call = {
        "id": "c",
        "type": "function_call",
        "call_id": "call_1",
        "name": "f",
        "arguments": "{",
        "status": "in_progress",
    }
    output = {"id": "o", "type": "function_call_output", "call_id": "call_1", "output": "1"}
    assert [] == params(added(call), added(output, "c"))
    whole = {**call, "arguments": "{}", "status": "completed"}
    assert ["c", "o"] == [param["id"] for param in params(added(whole), added(output, "c"))]


def test_what_does_not_fit_goes_oldest_first():
    """Whatever is kept is the end of the conversation, and an output never loses its call."""
    call = Restored({"id": "c", "type": "function_call", "call_id": "1", "name": "f", "arguments": "x" * 300})
    output = Restored({"id": "o", "type": "function_call_output", "call_id": "1", "output": "y"})
    last = Restored(text("z"))
    assert 0 == fitting([call, output, last], 1_000)
    assert 2 == fitting([call, output, last], 50)
    assert 3 == fitting([call, output, last], 0)


IDS = st.sampled_from("abcdefgh")
WORDS = st.sampled_from(["x", "y"])


@given(
    st.lists(st.tuples(IDS, WORDS), unique_by=lambda pair: pair[0]),
    st.lists(st.tuples(IDS, WORDS), unique_by=lambda pair: pair[0]),
)
def test_the_difference_brings_a_session_up_to_date(before, after):
    """Carried out as a server would, it leaves what is wanted, in order, wherever what stays is in order."""
    order = [item_id for item_id, _ in after]
    there = sorted(
        (text(*pair) for pair in before), key=lambda param: order.index(param["id"]) if param["id"] in order else 0
    )
    wanted = [Restored(text(*pair)) for pair in after]
    deletions, creations = difference(there, wanted)
    held = [param for param in there if param["id"] not in deletions]
    for one, previous in creations:
        ids = [param["id"] for param in held]
        place = len(held) if previous is None else 0 if previous == "root" else ids.index(previous) + 1
        held.insert(place, one.param)
    assert [one.param for one in wanted] == held
