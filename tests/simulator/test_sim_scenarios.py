"""Dialogues: what is heard decides what is said, called, waited for and failed."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import SimulatorError
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator import Call, Dialogue, Fail, Say, ScriptedEngine, Wait, connect
from openai_realtime_api_utils.simulator.engine import Turn
from simulated import user_says

TEXT = {"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text"]}}


def user(text):
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "{}"}
ASSISTANT = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hm"}]}


def thought(engine, *items):
    """Return what an engine thinks when it is given these items."""

    async def main():
        return [thought async for thought in engine.think(Turn("", items))]

    return asyncio.run(main())


def test_a_pattern_decides():
    """The first rule whose pattern is found, whatever the case, answers."""
    dialogue = Dialogue()
    dialogue.on("weather").say("Sunny.")
    dialogue.on("time").say("Noon.")
    engine = dialogue.engine()
    assert [Say("Noon.")] == thought(engine, user("What TIME is it?"))
    assert [Say("Sunny.")] == thought(engine, user("and the weather"))


def test_rules_for_the_same_are_used_in_turn():
    """Of rules that match, each answers once, and the last goes on."""
    dialogue = Dialogue()
    for text in ("One.", "Two."):
        dialogue.on("again").say(text)
    engine = dialogue.engine()
    assert ["One.", "Two.", "Two."] == [thought(engine, user("again"))[0].text for _ in range(3)]


def test_then_answers_the_output():
    """What comes after ``then`` answers the output of the function."""
    dialogue = Dialogue()
    dialogue.on("weather").say("One moment.").call("get_weather", city="Paris").then_say("Sunny.")
    engine = dialogue.engine()
    expected = [Say("One moment.", "commentary"), Call("get_weather", {"city": "Paris"})]
    assert expected == thought(engine, user("weather"))
    assert [Say("Sunny.")] == thought(engine, user("weather"), OUTPUT)


def test_then_may_call_again():
    """A chain of functions is followed to its end."""
    dialogue = Dialogue()
    dialogue.on("book").call("search").then_call("book", name="x").then_say("Booked.")
    engine = dialogue.engine()
    said = [thought(engine, user("book")), thought(engine, OUTPUT), thought(engine, OUTPUT)]
    assert [[Call("search")], [Call("book", {"name": "x"})], [Say("Booked.")]] == said


def test_asked_again_it_goes_on():
    """A response asked for with nothing new said is what comes after ``then``, too."""
    dialogue = Dialogue()
    dialogue.on("story").say("Once.").then_say("The end.")
    engine = dialogue.engine()
    thought(engine, user("story"))
    assert [Say("The end.")] == thought(engine, user("story"), ASSISTANT)


def test_something_new_ends_what_was_to_come():
    """Who says something else gets an answer to that, and the rest is dropped."""
    dialogue = Dialogue()
    dialogue.on("weather").call("get_weather").then_say("Sunny.")
    dialogue.on("stop").say("All right.")
    dialogue.otherwise().say("What?")
    engine = dialogue.engine()
    thought(engine, user("weather"))
    assert [Say("All right.")] == thought(engine, user("stop"))
    assert [Say("What?")] == thought(engine, OUTPUT)


def test_the_opening():
    """Before there is anything, the opening answers."""
    dialogue = Dialogue()
    dialogue.on("").say("Yes?")
    dialogue.opening().say("Hello!")
    engine = dialogue.engine()
    assert [Say("Hello!")] == thought(engine)
    assert [Say("Yes?")] == thought(engine, user("hi"))


def test_otherwise_is_asked_last():
    """What no other rule is for falls to ``otherwise``, wherever it was written."""
    dialogue = Dialogue()
    dialogue.otherwise().say("What?")
    dialogue.on("hi").say("Hello.")
    engine = dialogue.engine()
    assert [Say("Hello.")] == thought(engine, user("hi"))
    assert [Say("What?")] == thought(engine, user("hm"))
    assert [Say("What?")] == thought(engine)


def test_no_answer_is_told():
    """A dialogue without an answer says what it has none to, and remembers it."""
    dialogue = Dialogue()
    dialogue.on("hi").say("Hello.")
    with pytest.raises(SimulatorError, match="no answer to 'hm': add one"):
        thought(dialogue.engine(), user("hm"))
    assert ["hm"] == dialogue.unanswered


def test_engines_begin_anew():
    """Each session has the dialogue for itself."""
    dialogue = Dialogue()
    for text in ("One.", "Two."):
        dialogue.on("again").say(text)
    assert ["One.", "One."] == [thought(dialogue.engine(), user("again"))[0].text for _ in range(2)]


def test_rules_may_be_added_later():
    """An engine that runs sees rules that are written afterwards."""
    dialogue = Dialogue()
    engine = dialogue.engine()
    dialogue.on("hi").say("Hello.")
    assert [Say("Hello.")] == thought(engine, user("hi"))


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=12))
def test_exact_lines_are_answered_in_their_order(lines):
    """A dialogue that is followed word for word is answered line by line, whatever repeats in it."""
    dialogue = Dialogue()
    for n, line in enumerate(lines):
        dialogue.hear(line).say(f"answer {n}")
    engine = dialogue.engine()
    said = [thought(engine, user(f"{line.upper()}!"))[0].text for line in lines]
    assert [f"answer {n}" for n in range(len(lines))] == said


@pytest.mark.parametrize(
    ("write", "sentence"),
    [
        (lambda d: d.on("("), r"'\(' is no regular expression"),
        (lambda d: d.on("x").wait(-1), "-1 seconds cannot be waited: give 0 or more"),
        (lambda d: d.on("x").call("f", at={1}), r"arguments \{'at': \{1\}\} of 'f' are no JSON"),
    ],
)
def test_bad_rules_are_refused_where_they_are_written(write, sentence):
    """One sentence, with the value and what to do."""
    with pytest.raises(SimulatorError, match=sentence):
        write(Dialogue())


def held(dialogue, *events):
    """Hold a text session with the dialogue on a clock that jumps; return its events with their times."""
    clock = ManualClock()

    async def main():
        came = []
        async with connect(dialogue.engine(clock=clock), clock=clock) as connection:
            for event in (TEXT, *events):
                await connection.send(event)
            async for event in connection:
                came.append((clock.now(), event))
                if event.type == "response.done":
                    break
        return came

    return fast_forward.run(main(), clock)


def test_waiting_takes_time():
    """``wait`` lets time of the session's clock pass before what comes next."""
    dialogue = Dialogue()
    dialogue.on("hi").wait(30).say("Hello.")
    came = held(dialogue, user_says("hi"), {"type": "response.create"})
    at = {event.type: t for t, event in came}
    assert 30 <= at["response.output_text.delta"] - at["response.created"] < 31


def test_a_script_waits_too():
    """``Wait`` goes between the pieces of any scripted reply."""
    clock = ManualClock()
    engine = ScriptedEngine([[Wait(5), "Hello."]], clock=clock)

    async def main():
        said = [piece async for piece in engine.think(Turn("", ()))]
        return said, clock.now()

    assert ([Say("Hello.")], 5) == fast_forward.run(main(), clock)


def test_a_response_fails_as_written():
    """``fail`` ends the response as failed, with its code."""
    dialogue = Dialogue()
    dialogue.on("hi").fail("rate_limit_exceeded", "Too many.")
    (_, done) = held(dialogue, user_says("hi"), {"type": "response.create"})[-1]
    assert ("failed", "rate_limit_exceeded") == (done.response.status, done.response.status_details.error.code)


async def test_what_is_heard_is_written():
    """Utterances are understood line by line; a ``Fail`` is one that cannot be."""
    dialogue = Dialogue()
    dialogue.hear("hi").say("Hello.")
    dialogue.hear(Fail("audio_unintelligible", "It rustles."))
    engine = dialogue.engine()
    assert ["hi", Fail("audio_unintelligible", "It rustles."), ""] == [await engine.listen().finish() for _ in range(3)]


def test_calls_reach_the_client():
    """A call of the dialogue is a call of the session, with its arguments."""
    dialogue = Dialogue()
    dialogue.on("hi").call("f", x=[1, "a"])
    came = held(dialogue, user_says("hi"), {"type": "response.create"})
    (done,) = [event for _, event in came if event.type == "response.function_call_arguments.done"]
    assert {"x": [1, "a"]} == json.loads(done.arguments)
