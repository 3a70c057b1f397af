"""Ask, and the finished answer comes, or the server's own refusal."""

import asyncio
from contextlib import asynccontextmanager

import pytest

import talking
from openai_realtime_api_utils import (
    ArbitrateResponses,
    Ask,
    CallTools,
    ConnectionLost,
    GiveClientEventId,
    HandlerError,
    ManualClock,
    RefusedError,
    TrackConversation,
    hook_middlewares,
    user_text,
)
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator import Call, Fail, Faults, ScriptedEngine, connect
from openai_realtime_api_utils.simulator.scripted import Wait
from openai_realtime_api_utils.state.answer import answer_of

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def run(replies, questions, *, arbiter=False, faults=None, **options):
    """Ask inside a session; return what the questions return."""
    clock = ManualClock()
    ask, conversation = Ask(clock=clock, **options), TrackConversation()

    @asynccontextmanager
    async def hooked():
        engine = ScriptedEngine(replies=replies, clock=clock)
        async with connect(engine, clock=clock, faults=faults or Faults()) as connection:
            arbiters = [ArbitrateResponses(clock=clock, retries=1)] if arbiter else []
            middlewares = [GiveClientEventId(), *arbiters, conversation, ask]
            async with hook_middlewares(connection, middlewares, clock=clock) as session:
                yield session

    async def main():
        async with hooked() as session:
            return await questions(ask, session, clock)

    return fast_forward.run(main(), clock)


def test_a_text_is_answered_in_writing():
    """Whatever the session's own modality; with usage."""

    async def questions(ask, session, clock):
        return await ask.text("Hi")

    answer = run(["Hello there."], questions)
    assert (answer.text, answer.transcript, answer.status, answer.calls) == ("Hello there.", None, "completed", ())
    assert answer.usage["output_tokens"] > 0


def test_a_spoken_answer_has_its_transcript():
    """And the same text."""

    async def questions(ask, session, clock):
        return await ask.response(input=[user_text("Hi")["item"]])

    answer = run(["Hello."], questions)
    assert (answer.text, answer.transcript) == ("Hello.", "Hello.")


def test_calls_are_part_of_the_answer():
    """Where nobody answers them."""

    async def questions(ask, session, clock):
        return await ask.text("Hi")

    (call,) = run([Call("look", {"x": 1})], questions).calls
    assert (call.name, call.arguments) == ("look", '{"x":1}')


def test_an_image_is_shown_with_its_question():
    """As one message."""

    async def questions(ask, session, clock):
        return await ask.image(PNG, "What is it?")

    def reply(turn):
        return " ".join(part["type"] for part in turn.items[-1]["content"])

    assert run([reply], questions).text == "input_text input_image"


def test_json_is_read_in_whatever_fence():
    """Models like to put one round it."""

    async def questions(ask, session, clock):
        first = await ask.text("x")
        return first.json(), (await ask.text("x")).json()

    assert run(['```json\n{"a": 1}\n```', "[2]"], questions) == ({"a": 1}, [2])


def test_parallel_questions_get_their_own_answers():
    """Beside the conversation any number may be asked at once; the slower one comes later."""

    async def questions(ask, session, clock):
        def one(text):
            return ask.response(conversation="none", input=[user_text(text)["item"]], output_modalities=["text"])

        answers = await asyncio.gather(one("first"), one("second"))
        return [answer.text for answer in answers]

    assert run({"first": [Wait(5), "1"], "second": "2"}, questions) == ["1", "2"]


def test_responses_of_others_are_not_mistaken_for_it():
    """One that another request or the server begins is not the answer."""

    async def questions(ask, session, clock):
        await session.send({"type": "response.create", "response": {"output_modalities": ["text"]}})
        return await ask.text("mine")

    assert run(["theirs", "mine"], questions, arbiter=True).text == "mine"


def test_a_retried_answer_is_waited_for():
    """The first failure is the arbiter's business."""

    async def questions(ask, session, clock):
        return await ask.text("x")

    assert run([Fail("server_error", "x"), "Then."], questions, arbiter=True).text == "Then."


@pytest.mark.parametrize(
    ("question", "code", "told"),
    [
        (lambda ask: ask.response(max_output_tokens=0), "invalid_value", "max_output_tokens"),
        (lambda ask: ask.response(input=[{"type": "item_reference", "id": "none"}]), "invalid_value", "none"),
        (lambda ask: ask.update({"voice": "x"}), "unknown_parameter", "session.voice"),
        (lambda ask: ask.text("x"), "server_error", "broken"),
    ],
)
def test_what_the_server_refuses_is_raised(question, code, told, caplog):
    """With its code; it is not logged as well."""

    async def questions(ask, session, clock):
        with pytest.raises(RefusedError, match=told) as error:
            await question(ask)
        return error.value.code

    assert run([Fail("server_error", "broken")], questions) == code
    assert caplog.records == []


def test_a_refused_item_ends_the_question():
    """Its response is not waited for."""

    async def questions(ask, session, clock):
        with pytest.raises(RefusedError):
            await ask.image("https://example.com/cat.png")
        return True

    assert run(["x"], questions)


def test_others_errors_pass(caplog):
    """They are logged as ever, and end no question."""

    async def questions(ask, session, clock):
        await session.send({"type": "conversation.item.delete", "item_id": "none"})
        return await ask.text("x")

    assert run(["ok"], questions).text == "ok"
    assert len(caplog.records) == 1


def test_an_update_returns_the_session_as_it_is_then():
    """Each its own, in order; a refused one in between takes nobody's place."""

    async def questions(ask, session, clock):
        async def refused():
            with pytest.raises(RefusedError):
                await ask.update({"instructions": 5})

        updates = [ask.update({"instructions": "a"}), refused(), ask.update({"instructions": "b"})]
        first, _, last = await asyncio.gather(*updates)
        return first["instructions"], last["instructions"]

    assert run([], questions) == ("a", "b")


@pytest.mark.parametrize("timeout", [{"timeout_s": 2}, {}], ids=["its own", "the default"])
def test_no_answer_in_time_is_told(timeout):
    """With what was asked."""

    async def questions(ask, session, clock):
        start = clock.now()
        with pytest.raises(TimeoutError, match=r"did not answer response\.create"):
            await ask.text("x", **timeout)
        return clock.now() - start

    assert run([[Wait(500), "late"]], questions, timeout_s=30) == timeout.get("timeout_s", 30)


@pytest.mark.parametrize("code", [1006, 1011, 1001, 1000])
def test_a_question_ends_with_the_connection(code):
    """However that ended: at once, and not with its own time."""
    ended_at = []

    async def questions(ask, session, clock):
        try:
            return await asyncio.gather(ask.text("x"), ask.update({"instructions": "y"}))
        finally:
            ended_at.append(clock.now())

    with pytest.raises(ConnectionLost, match="What was asked was not answered") as error:
        run([[Wait(5), "late"]], questions, faults=Faults(close_at=("session.created", code)))
    assert (error.value.code, ended_at[0] < 1) == (code, True)


def test_a_question_ends_with_the_session_that_was_answering_it():
    """Under ``resume``: that asks again for what belongs to the conversation, but nobody knows for whom."""

    async def program(talk, engine, exchange):
        ask = Ask(clock=talk.clock)
        async with talk.held(ask):
            question = ask.response(conversation="none", input=[user_text("x")["item"]], output_modalities=["text"])
            with pytest.raises(ConnectionLost, match="What was asked was not answered"):
                await question
            return (await ask.text("y")).text, talk.clock.now() < 30

    cuts = iter([1006])

    def cut(event):
        return next(cuts, None) if event["type"] == "response.output_text.delta" else None

    assert talking.run(program, ["lost", "found"], cut=cut) == ("found", True)


def test_a_question_whose_functions_were_called_outlives_its_session():
    """Whoever runs them goes on in the next session, and there is the answer."""

    def look() -> str:
        return "rain"

    async def program(talk, engine, exchange):
        tools = CallTools([look], clock=talk.clock)
        ask = Ask(clock=talk.clock, call_tools=tools)
        async with talk.held(tools, ask):
            return (await ask.text("x")).text

    cuts = iter([1006])

    def cut(event):
        has_called = event["type"] == "response.output_item.done" and event["item"]["type"] == "function_call"
        return next(cuts, None) if has_called or event["type"] == "response.done" else None

    assert talking.run(program, [Call("look"), "It rains."], cut=cut) == "It rains."


async def test_asking_before_it_is_hooked_says_so():
    """In one sentence with the mend."""
    with pytest.raises(HandlerError, match="register_send_with_handlers"):
        await Ask().text("x")


def test_a_malformed_response_reads_as_what_is_there():
    """Nothing raises."""
    assert answer_of({"output": [{"type": "message", "content": "x"}, None]}).text == ""
