"""Whole sessions inside the process: the SDK's connection, a scripted engine, and a clock that jumps."""

import asyncio
import base64
import json
import logging

import numpy as np
import pytest
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator import (
    Call,
    Fail,
    Say,
    ScriptedEngine,
    Settings,
    connect,
    connect_translation,
    synthetic_speech,
)

SILENCE = np.zeros(24_000, np.int16)


def run(program, engine, **options):
    """Run ``program(connection, clock)`` against a session, time jumping."""
    clock = ManualClock()

    async def main():
        async with connect(engine, clock=clock, created_at=0, **options) as connection:
            return await program(connection, clock)

    return fast_forward.run(main(), clock)


async def until(connection, event_type):
    events = []
    while not events or events[-1].type != event_type:
        events.append(await connection.recv())
    return events


def test_sdk_methods():
    """It is the SDK's own connection, and its resource methods work."""

    async def program(connection, clock):
        assert isinstance(connection, AsyncRealtimeConnection)
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hello"}]}
        await connection.conversation.item.create(item=item)
        await connection.response.create()
        events = await until(connection, "response.done")
        return events[-1].response.output[0].content[0].text

    assert run(program, ScriptedEngine(["Hello to you."])) == "Hello to you."


async def speak(connection, clock, sound):
    for at in range(0, len(sound), 480):
        chunk = sound[at : at + 480].tobytes()
        await connection.input_audio_buffer.append(audio=base64.b64encode(chunk).decode())
        await clock.sleep_until(clock.now() + 0.02)


def test_spoken_conversation():
    """Two spoken turns, the second of which interrupts the answer to the first."""
    engine = ScriptedEngine(["A very long answer. " * 20, "Stopped."], hears=["tell me a story", "stop"])
    question = np.concatenate((SILENCE, synthetic_speech("tell me a story"), SILENCE))

    async def program(connection, clock):
        await speak(connection, clock, question)
        await speak(connection, clock, question)
        await clock.sleep_until(clock.now() + 5)
        await connection.close()
        return [event async for event in connection]

    events = run(program, engine)
    done = [event.response for event in events if event.type == "response.done"]
    assert [response.status for response in done] == ["cancelled", "completed"]
    assert [turn.items[-1]["content"][0]["transcript"] for turn in engine.turns] == ["tell me a story", "stop"]


class Faulty(ScriptedEngine):
    def __init__(self, **broken):
        super().__init__(["First.", "Second."], hears=["hello"])
        self.broken = broken
        self.closed = 0

    async def think(self, turn):
        if "think" in self.broken:
            raise self.broken.pop("think")
        async for thought in super().think(turn):
            yield thought

    async def speak(self, text, *, voice, speed):
        if "speak" in self.broken:
            raise self.broken.pop("speak")
        return await super().speak(text, voice=voice, speed=speed)

    def listen(self):
        if "listen" in self.broken:
            raise self.broken.pop("listen")
        return super().listen()

    async def close(self):
        self.closed += 1


@pytest.mark.parametrize("where", ["think", "speak"])
def test_engine_that_breaks(where, caplog):
    """A broken engine fails the response, says so in the log, and the session goes on."""
    engine = Faulty(**{where: ValueError("It is broken.")})

    async def program(connection, clock):
        await connection.response.create()
        failed = (await until(connection, "response.done"))[-1].response
        await connection.response.create()
        return failed, (await until(connection, "response.done"))[-1].response

    failed, after = run(program, engine)
    assert (failed.status, failed.status_details.error.code) == ("failed", "server_error")
    assert after.status == "completed"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert engine.closed == 1


def test_listener_that_breaks(caplog):
    """A broken listener fails the transcription; the response comes all the same."""
    engine = Faulty(listen=ValueError("It is deaf."))
    sound = np.concatenate((synthetic_speech("hello you over there"), SILENCE))

    async def program(connection, clock):
        audio = {"input": {"transcription": {"model": "whisper-1"}}}
        await connection.session.update(session={"type": "realtime", "audio": audio})
        await speak(connection, clock, sound)
        return [event.type for event in await until(connection, "response.done")]

    events = run(program, engine)
    assert "conversation.item.input_audio_transcription.failed" in events
    assert "It is deaf." in caplog.text


class Talkative(ScriptedEngine):
    def __init__(self):
        super().__init__()
        self.said = 0
        self.ended = 0

    async def think(self, turn):
        try:
            while True:
                self.said += 1
                yield Say("And then he went on, and on, and on. ")
        finally:
            self.ended += 1


def test_engine_that_talks_for_ever():
    """It is asked for little more than is sent, and is stopped by a cancel."""
    engine = Talkative()

    async def program(connection, clock):
        await connection.response.create()
        await clock.sleep_until(10)
        said = engine.said
        await connection.response.cancel()
        status = (await until(connection, "response.done"))[-1].response.status
        await clock.sleep_until(60)
        return said, status

    said, status = run(program, engine)
    assert said * len("And then he went on, and on, and on. ") * 0.06 / 4 < 10 + 3
    assert (status, engine.ended, engine.said) == ("cancelled", 1, said)


def test_token_limit_stops_the_engine():
    """A response that ends by itself stops the engine too, from within its own task."""
    engine = Talkative()

    async def program(connection, clock):
        await connection.response.create(response={"max_output_tokens": 50})
        status = (await until(connection, "response.done"))[-1].response.status
        await clock.sleep_until(60)
        return status

    assert run(program, engine) == "incomplete"
    assert engine.ended == 1


def test_time_takes_none():
    """A minute of session passes without a minute going by."""

    async def program(connection, clock):
        await clock.sleep_until(3_599)
        return clock.now()

    assert run(program, ScriptedEngine()) == 3_599


@pytest.mark.reported
def test_session_ends_after_an_hour():
    """The connection is closed with 1001 and the reason, after the event that says so."""

    async def program(connection, clock):
        with pytest.raises(ConnectionClosedOK) as closed:
            while True:
                last = await connection.recv()
        assert last.error.code == "session_expired"
        return closed.value.rcvd

    close = run(program, ScriptedEngine())
    assert (close.code, close.reason) == (1001, "Your session hit the maximum duration of 60 minutes.")


async def test_own_close():
    """After the client's own close, what was sent before can be received, then 1000; nothing can be sent."""
    async with connect(ScriptedEngine(), clock=ManualClock()) as connection:
        assert (await connection.recv()).type == "session.created"
        await connection.close(code=1000, reason="done")
        for attempt in (connection.recv, connection.response.create):
            with pytest.raises(ConnectionClosedOK) as closed:
                await attempt()
            assert (closed.value.sent.code, closed.value.sent.reason) == (1000, "done")
            assert not closed.value.rcvd_then_sent


async def test_waiting_receiver_is_woken_by_the_close():
    """A close ends a ``recv`` that waits."""
    async with connect(ScriptedEngine(), clock=ManualClock()) as connection:
        await connection.recv()
        waiting = asyncio.ensure_future(connection.recv())
        await asyncio.sleep(0)
        await connection.close()
        with pytest.raises(ConnectionClosedOK):
            await waiting


async def test_error_in_the_block_comes_out_as_it_is():
    """What the caller raises is not wrapped into a group."""
    with pytest.raises(KeyError):
        async with connect(ScriptedEngine(), clock=ManualClock()):
            raise KeyError


@pytest.mark.reported
async def test_binary_frame():
    """A binary frame gets an ``error`` event."""
    async with connect(ScriptedEngine(), clock=ManualClock()) as connection:
        await connection.recv()
        await connection.send_raw(b'{"type": "response.create"}')
        assert (await connection.recv()).error.code == "invalid_event"


async def test_frames_are_bytes_to_the_sdk():
    """``recv_bytes`` gives the frame as it came."""
    async with connect(ScriptedEngine(), clock=ManualClock()) as connection:
        assert json.loads(await connection.recv_bytes())["type"] == "session.created"


async def test_client_that_does_not_read():
    """The server waits while 1,024 frames lie unread, and then the client that sends waits too; nothing is lost."""
    async with connect(ScriptedEngine(), clock=ManualClock()) as connection:
        event = json.dumps({"type": "response.cancel"})
        sending = asyncio.ensure_future(send_many(connection, event, 3000))
        for _ in range(20_000):
            await asyncio.sleep(0)
        assert not sending.done()
        answers = [await connection.recv() for _ in range(3001)]
        await sending
        assert [answer.type for answer in answers] == ["session.created"] + ["error"] * 3000


async def send_many(connection, event, n):
    for _ in range(n):
        await connection.send_raw(event)


async def test_session_that_fails(caplog):
    """A fault in the simulator itself closes the connection with 1011 and is logged."""

    class Deaf:
        def judge(self, samples):
            raise RuntimeError("This detector is broken.")

    async with connect(ScriptedEngine(), clock=ManualClock(), vad=Deaf) as connection:
        await connection.recv()
        await connection.input_audio_buffer.append(audio=base64.b64encode(bytes(960)).decode())
        with pytest.raises(ConnectionClosedError) as closed:
            await connection.recv()
    assert closed.value.rcvd.code == 1011
    assert "This detector is broken." in caplog.text


def test_tool_round():
    """A call, its output, and an answer from it: a reply may be a function of what the model is given."""
    engine = ScriptedEngine(
        [["Let me look.", Call("get_weather", {"city": "Paris"})], lambda turn: f"{turn.items[-1]['output']} it is."]
    )

    async def program(connection, clock):
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        await connection.response.create()
        response = (await until(connection, "response.done"))[-1].response
        call = response.output[1]
        output = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny"}
        await connection.conversation.item.create(item=output)
        await connection.response.create()
        return call.arguments, (await until(connection, "response.done"))[-1].response.output[0].content[0].text

    assert run(program, engine) == ('{"city":"Paris"}', "Sunny it is.")


def test_replies_by_pattern():
    """A mapping answers by what came last; the first pattern found decides."""
    engine = ScriptedEngine({"weather": "It rains.", "time|clock": "It is late.", "": "I do not know."})

    async def program(connection, clock):
        await connection.session.update(session={"type": "realtime", "output_modalities": ["text"]})
        answers = []
        for text in ("What is the TIME?", "What is the weather?", "Who are you?"):
            item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
            await connection.conversation.item.create(item=item)
            await connection.response.create()
            answers.append((await until(connection, "response.done"))[-1].response.output[0].content[0].text)
        return answers

    assert run(program, engine) == ["It is late.", "It rains.", "I do not know."]


def test_script_that_ran_out():
    """A response for which there is no reply fails, and says so."""

    async def program(connection, clock):
        await connection.response.create()
        return (await until(connection, "response.done"))[-1].response.status_details.error

    error = run(program, ScriptedEngine())
    assert error.message == "The engine failed: The script has no reply to '': add one to `replies`."


def test_scripted_failure():
    """A reply may fail the way the service does."""

    async def program(connection, clock):
        await connection.response.create()
        return (await until(connection, "response.done"))[-1].response.status_details.error

    assert run(program, ScriptedEngine([Fail("rate_limit_exceeded", "Too much.")])).type == "rate_limit_error"


def test_settings_reach_the_session():
    """Settings given to ``connect`` are the session's."""

    async def program(connection, clock):
        return (await connection.recv()).session.expires_at

    assert run(program, ScriptedEngine(), settings=Settings(lifetime_s=60)) == 60


async def test_false_start_uses_up_no_line():
    """An utterance that was cleared leaves its line to the next."""
    engine = ScriptedEngine(hears=["hello"])
    await engine.listen().drop()
    assert await engine.listen().finish() == "hello"
    assert await engine.listen().finish() == ""


async def test_scripted_words_come_as_sound_does():
    """Some words a second are understood while the user speaks; all of them add up to a part of the line."""
    listening = ScriptedEngine(hears=["one two three four five"]).listen()
    parts = [await listening.hear(np.zeros(12_000, np.int16)) for _ in range(3)]
    assert parts == ["one", " two three", " four"]


def test_cleared_utterance_is_dropped():
    """A clear makes the listener forget, so that the next utterance gets the line."""
    engine = ScriptedEngine({"": "Yes."}, hears=["hello"])
    sound = base64.b64encode(synthetic_speech("hello you").tobytes()).decode()

    async def program(connection, clock):
        await connection.session.update(session={"type": "realtime", "audio": {"input": {"turn_detection": None}}})
        for ending in (connection.input_audio_buffer.clear, connection.input_audio_buffer.commit):
            await connection.input_audio_buffer.append(audio=sound)
            await ending()
        await connection.response.create()
        await until(connection, "response.done")

    run(program, engine)
    assert engine.turns[0].items[0]["content"][0]["transcript"] == "hello"


async def test_frames_are_watched():
    """Whoever watches a connection is told of every frame of both directions, in order."""
    frames = []
    async with connect(ScriptedEngine(), watch=lambda sender, frame: frames.append((sender, frame))) as connection:
        await connection.recv()
        await connection.send({"type": "input_audio_buffer.clear"})
        await connection.recv()
    assert [("server", "session.created"), ("client", "input_audio_buffer.clear")] == [
        (sender, json.loads(frame)["type"]) for sender, frame in frames[:2]
    ]
    assert [("server", "input_audio_buffer.cleared")] == [(s, json.loads(f)["type"]) for s, f in frames[2:]]


def test_transcription_in_process():
    """A transcription session runs inside the process too."""

    async def program(connection, clock):
        audio = {"input": {"transcription": {"model": "gpt-4o-transcribe"}}}
        await connection.session.update(session={"type": "transcription", "audio": audio})
        await speak(connection, clock, np.concatenate((synthetic_speech("hello over there"), SILENCE)))
        events = await until(connection, "conversation.item.input_audio_transcription.completed")
        return events[0].session.type, events[-1].transcript

    engine = ScriptedEngine(hears=["hello over there"])
    assert run(program, engine, kind="transcription") == ("transcription", "hello over there")


def test_translation_in_process():
    """A translation session runs inside the process too, with the SDK's connection for it."""
    clock = ManualClock()

    async def main():
        engine = ScriptedEngine(["Hola."], hears=["hello over there"])
        async with connect_translation(engine, clock=clock, created_at=0) as connection:
            await connection.session.update(session={"audio": {"output": {"language": "es"}}})
            sound = np.concatenate((synthetic_speech("hello over there"), SILENCE))
            await connection.session.input_audio_buffer.append(audio=base64.b64encode(sound.tobytes()).decode())
            await connection.session.close()
            events = await until(connection, "session.closed")
        return engine.turns[0].translate_to, "".join(e.delta for e in events if "output_transcript" in e.type)

    assert fast_forward.run(main(), clock) == ("es", "Hola.")
