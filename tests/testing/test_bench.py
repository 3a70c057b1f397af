"""What a test of a voice application is given: dialogue, room, connection, quiet, and what came of it."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

import numpy as np
import pytest

from openai_realtime_api_utils import StreamMic, TrackConfig, TrackConversation, hook_middlewares
from openai_realtime_api_utils.errors import ConnectionLost
from openai_realtime_api_utils.middlewares import interruptable_audio_player
from openai_realtime_api_utils.simulator import Faults, Settings, synthetic_speech
from openai_realtime_api_utils.testing import Realtime

STORY = "Once upon a time there was a king who had a very long beard. " * 5


@pytest.fixture
def make():
    """Make benches, and give their loops back."""
    made = []

    def make(**options):
        made.append(Realtime(**options))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def realtime(make):
    return make()


class Answers:
    """Answer every function call, after a while and in the way that is given."""

    def __init__(self, wait):
        self.wait = wait

    def register_send_with_handlers(self, send):
        self.send = send

    async def server_event_handler(self, event, metadata, connection):
        if event.type == "response.done":
            for item in event.response.output:
                if item.type == "function_call":
                    await self.wait()
                    output = {"type": "function_call_output", "call_id": item.call_id, "output": "{}"}
                    await self.send({"type": "conversation.item.create", "item": output})
                    await self.send({"type": "response.create"})
        return event, metadata


async def at_once():
    return


@asynccontextmanager
async def deaf(realtime, *middlewares):
    """An application that leaves microphone and loudspeaker alone."""
    async with realtime.connect() as connection, hook_middlewares(connection, middlewares) as session:
        yield session


@asynccontextmanager
async def spoken(realtime, **session):
    """An application with ears and a voice; yields (session, microphone)."""
    clock, config, conversation = realtime.clock, TrackConfig(), TrackConversation()
    with interruptable_audio_player(config, conversation, realtime.room.speaker, clock=clock) as iap:
        mic = StreamMic(realtime.room.microphone, clock=clock)
        async with realtime.connect() as connection:
            async with hook_middlewares(connection, [config, conversation, iap, mic], clock=clock) as hooked:
                if session:
                    await hooked.send({"type": "session.update", "session": {"type": "realtime", **session}})
                yield hooked, mic


async def typed(session, text):
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    await session.send({"type": "conversation.item.create", "item": item})
    await session.send({"type": "response.create"})


async def test_a_spoken_conversation(realtime):
    """What is said in the room is understood, and the answer sounds in it."""
    realtime.dialogue.on("name").say("I am the simulator.")
    async with spoken(realtime):
        await realtime.room.say("what is your name")
        await realtime.quiet()
    assert ("what is your name", "I am the simulator.") == (realtime.understood(), realtime.heard())
    assert [] == realtime.errors


async def test_several_turns(realtime):
    """Each utterance is understood as what was said in it, and no word of another."""
    realtime.dialogue.on("one").say("First.")
    realtime.dialogue.on("two").say("Second.")
    async with spoken(realtime):
        for text in ("number one please", "number two please"):
            await realtime.room.say(text)
            await realtime.quiet()
    assert ["number one please", "number two please"] == realtime.room.understood
    assert "First. Second." == realtime.heard()


async def test_only_what_sounded_was_heard(realtime):
    """An interrupted story was heard up to the interruption, and said to its end."""
    realtime.dialogue.on("story").say(STORY)
    realtime.dialogue.on("stop").say("All right.")
    async with spoken(realtime):
        await realtime.room.say("a story")
        await realtime.clock.sleep_until(realtime.clock.now() + 4)
        await realtime.room.say("please stop")
        await realtime.quiet()
    words = realtime.heard().removesuffix(" All right.")
    assert STORY.startswith(words)
    assert 10 < len(words) < 100
    assert realtime.heard().endswith(" All right.")
    assert realtime.said().startswith(words)
    assert [] == realtime.errors


async def test_what_still_sounds_is_not_heard_yet(realtime):
    """Asked in the middle, it is the words that have sounded by then."""
    realtime.dialogue.opening().say("one two three four five six seven eight nine ten")
    async with spoken(realtime) as (session, _):
        await session.send({"type": "response.create"})
        await realtime.clock.sleep_until(realtime.clock.now() + 1.5)
        middle = realtime.heard()
        await realtime.quiet()
    assert "one" == middle.split()[0]
    assert len(middle) < len(realtime.heard())
    assert "one two three four five six seven eight nine ten" == realtime.heard()


async def test_an_application_without_ears(realtime):
    """Who leaves the microphone alone gets it plugged in; who has no voice is taken to have said all."""
    realtime.dialogue.on("weather").say("Sunny.")
    async with deaf(realtime):
        await realtime.room.say("the weather")
        await realtime.quiet()
    assert ("the weather", "Sunny.") == (realtime.understood(), realtime.heard())


async def test_text_is_answered_too(realtime):
    """The dialogue answers what is typed; without a voice, what is written counts as heard."""
    realtime.dialogue.on("weather").say("Sunny.")
    async with deaf(realtime) as session:
        await session.send({"type": "session.update", "session": {"type": "realtime", "output_modalities": ["text"]}})
        await typed(session, "weather")
        await realtime.quiet()
    assert "Sunny." == realtime.heard()


async def slow_on_the_loop():
    await asyncio.sleep(20)


async def slow_in_a_thread():
    await asyncio.to_thread(time.sleep, 0.05)


@pytest.mark.parametrize("wait", [at_once, slow_on_the_loop, slow_in_a_thread])
async def test_quiet_waits_for_functions(realtime, wait):
    """It is not quiet before a called function was answered, however long that takes."""
    realtime.dialogue.on("weather").call("get_weather", city="Paris").then_say("Sunny.")
    async with deaf(realtime, Answers(wait)) as session:
        await typed(session, "weather")
        await realtime.quiet()
    assert "Sunny." == realtime.heard()
    assert realtime.called("get_weather", city="Paris")


async def test_called_says_what_was(realtime):
    """A failed assertion shows what was called instead, or that nobody answered."""
    realtime.dialogue.on("weather").call("get_weather", city="Paris", day=1).then_say("Sunny.")
    assert "<f() was not called; nothing was>" == repr(realtime.called("f"))
    async with deaf(realtime) as session:
        await typed(session, "weather")
        await realtime.clock.sleep_until(5)
        assert not realtime.called("get_weather", city="Paris")
        shown = repr(realtime.called("get_weather", city="Paris"))
        assert "<get_weather(city='Paris') was called, but the client sent no function_call_output>" == shown
    other = realtime.called("get_weather", city="Rome")
    assert not other
    assert "<get_weather(city='Rome') was not called; what was: get_weather(city='Paris', day=1)>" == repr(other)


async def test_called_holds_the_calls(realtime):
    """The calls that are meant are there, with all their arguments and their outputs."""
    realtime.dialogue.on("a").call("f", x=1, y=2).then_say("Yes.")
    async with deaf(realtime, Answers(at_once)) as session:
        await typed(session, "a")
        await realtime.quiet()
    called = realtime.called("f", x=1)
    assert "<f(x=1) was called and answered>" == repr(called)
    assert [({"x": 1, "y": 2}, "{}")] == [(call.arguments, call.output) for call in called.calls]


async def test_what_the_dialogue_has_no_answer_to(realtime):
    """A line that nobody wrote an answer for fails the test, and says so."""
    async with deaf(realtime) as session:
        await typed(session, "hm")
        with pytest.raises(AssertionError, match=r"no answer to 'hm': add one with dialogue\.on"):
            await realtime.quiet()


async def test_what_does_not_become_quiet(realtime):
    """What goes on without an end is named."""
    realtime.dialogue.on("a").call("f")
    async with deaf(realtime) as session:
        await typed(session, "a")
        with pytest.raises(
            AssertionError, match="not become quiet in 30 s of the clock: nobody answered the call of f"
        ):
            await realtime.quiet(within_s=30)


async def test_talking_to_nobody(realtime):
    """Without a session nothing that is said could be heard."""
    with pytest.raises(AssertionError, match=r"Nobody hears .* open a session with realtime\.connect"):
        await realtime.room.say("hello")


async def test_a_muted_microphone_is_not_heard(realtime):
    """What is said while the microphone is muted is not understood, then or later."""
    realtime.dialogue.on("").say("Yes?")
    async with spoken(realtime) as (_, mic):
        mic.mute = True
        await realtime.room.say("a secret of mine")
        await realtime.quiet()
        mic.mute = False
        await realtime.clock.sleep_until(realtime.clock.now() + 1)
        await realtime.room.say("hello there")
        await realtime.quiet()
    assert ["hello there"] == realtime.room.understood


async def test_another_voice(realtime):
    """What is said may sound as somebody recorded it."""
    realtime.dialogue.on("hello").say("Yes?")
    voice = np.concatenate((synthetic_speech("a long, long hello"), np.zeros(2_400, np.int16)))
    async with spoken(realtime):
        await realtime.room.say("hello", voice)
        await realtime.quiet()
    assert "hello" == realtime.understood()


async def test_a_room_with_echo(make):
    """Without a canceller an assistant hears itself and is interrupted, as in a real room."""
    realtime = make(gain=0.5)
    realtime.dialogue.on("story").say(STORY)
    realtime.dialogue.otherwise().say("What?")
    async with spoken(realtime):
        await realtime.room.say("a story")
        await realtime.clock.sleep_until(realtime.clock.now() + 6)
    cancelled = [e["response"]["status"] for e in realtime.events if e["type"] == "response.done"]
    assert "cancelled" == cancelled[0]


async def test_settings_reach_the_service(make):
    """The service behaves as it is told."""
    realtime = make(settings=Settings(lifetime_s=20))
    async with realtime.connect():
        await realtime.clock.sleep_until(30)
    assert ["session_expired"] == [error["code"] for error in realtime.errors]


async def test_minutes_take_no_time(realtime):
    """A conversation goes as fast as the machine, and not as the clock."""
    realtime.dialogue.on("").say("Yes.")
    start = time.process_time()
    async with spoken(realtime):
        for minute in range(5):
            await realtime.clock.sleep_until(60.0 * minute)
            await realtime.room.say("are you there")
            await realtime.quiet()
    assert 5 == realtime.heard().count("Yes.")
    assert time.process_time() - start < 30


async def test_what_was_sent_is_kept(realtime):
    """The application's events are there, but for the sound that it streams."""
    realtime.dialogue.on("").say("Yes.")
    async with spoken(realtime, instructions="Be brief."):
        await realtime.room.say("hello")
        await realtime.quiet()
    assert ["session.update"] == [event["type"] for event in realtime.sent]
    deltas = [event["delta"] for event in realtime.events if event["type"] == "response.output_audio.delta"]
    assert {""} == set(deltas)


async def test_garbage_is_left_to_the_service(realtime):
    """What is no event is refused by the service, and does no harm here."""
    async with realtime.connect() as connection:
        for frame in ("no json", "[]", json.dumps({"type": "conversation.item.create", "item": "x"})):
            await connection.send_raw(frame)
        await realtime.quiet()
    assert 3 == len(realtime.errors)


async def test_sessions_one_after_the_other(realtime):
    """A second session has ids of its own, and goes on in the same dialogue's words anew."""
    realtime.dialogue.on("hi").say("Hello.")
    for _ in range(2):
        async with deaf(realtime) as session:
            await typed(session, "hi")
            await realtime.quiet()
    sessions = [event["session"]["id"] for event in realtime.events if event["type"] == "session.created"]
    assert 2 == len(set(sessions))
    assert "Hello. Hello." == realtime.heard()


async def test_faults_reach_the_session(make):
    """What goes wrong on purpose does; a session that was cut off keeps nobody waiting."""
    realtime = make(faults=Faults(close_at=("response.created", 1011)))
    realtime.dialogue.on("hi").say("Hello.")
    with pytest.raises(ConnectionLost, match="1011"):
        async with deaf(realtime) as session:
            await typed(session, "hi")
            await realtime.quiet()
            await session.closed


async def test_a_transcription_session(realtime):
    """Opened as the SDK opens it, a session transcribes what is said in the room, and answers nothing."""
    async with realtime.connect(extra_query={"intent": "transcription"}) as connection:
        audio = {"input": {"transcription": {"model": "gpt-4o-transcribe"}, "turn_detection": {"type": "server_vad"}}}
        await connection.send({"type": "session.update", "session": {"type": "transcription", "audio": audio}})
        await realtime.room.say("hello there")
        await realtime.quiet()
    completed = [e["transcript"] for e in realtime.events if e["type"].endswith("transcription.completed")]
    assert ["hello there"] == completed
    assert "" == realtime.said()


async def test_a_translation(realtime):
    """What the room says goes to a translation session, and what it says is what the dialogue answers."""
    realtime.dialogue.on("good morning").say("Buenos días.")
    realtime.dialogue.on("good night").say("Buenas noches.")
    async with realtime.connect_translation(model="gpt-realtime-translate") as connection:
        await connection.session.update(session={"audio": {"output": {"language": "es"}}})
        await realtime.room.say("good morning")
        await realtime.quiet()
        assert realtime.said() == "Buenos días."
        await realtime.room.say("good night")
        await realtime.quiet()
    assert (realtime.said(), realtime.understood()) == ("Buenos días. Buenas noches.", "good morning good night")
    assert realtime.errors == []
    assert not any(event.get("delta") for event in realtime.events if event["type"] == "session.output_audio.delta")
