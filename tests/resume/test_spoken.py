"""What becomes of speech, the user's and the assistant's, when a connection is lost."""

import base64

import numpy as np
import pytest

from exchange import texts
from openai_realtime_api_utils.resume import keep_last
from simulated import loud, quiet
from talking import HEARS, STORY, run, spoken

MANUAL = {
    "type": "realtime",
    "audio": {"input": {"turn_detection": None, "transcription": {"model": "gpt-realtime-whisper"}}},
}


def test_a_reseeded_answer_is_cut_by_replacing_it():
    """A text item cannot be truncated: it is deleted, and made anew at its place with the words that were heard."""

    async def program(talk, engine, exchange, user):
        async with talk.held(*user.hooked, heard=user.player):
            await talk.send({"type": "session.update", "session": HEARS})
            await talk.send({"type": "response.create"})
            await talk.events.until("response.done")
            exchange.drop()
            await talk.events.until("local.session_replaced")
            user.microphone.say(np.concatenate((loud(1), quiet(60))))
            await talk.events.until("response.done", 2)
            await talk.wait(5)
            return talk, engine, exchange

    talk, engine, exchange = spoken(program, [STORY * 8, "All right."], ["stop"])
    story = talk.conversation.items[0]
    (truncated,) = talk.events.of("conversation.item.truncated")
    (delete,) = [e for e in exchange.received[1] if e["type"] == "conversation.item.delete"]
    assert (story.id, story.id) == (truncated.item_id, delete["item_id"])
    assert 0 < len(story.heard_text) < len(story.text)
    assert [story.heard_text, "stop"] == texts(engine.turns[-1].items)
    assert story.id == engine.turns[-1].items[0]["id"]
    assert [] == [e.error.message for e in talk.events.of("error")]
    assert "conversation.item.truncate" not in exchange.received_types(1)


def test_an_answer_that_still_sounds_is_restored_whole():
    """What was received will have been heard; it goes on sounding through the gap."""

    async def program(talk, engine, exchange, user):
        async with talk.held(*user.hooked, heard=user.player):
            await talk.send({"type": "response.create"})
            await talk.events.until("response.done")
            exchange.drop()
            await talk.wait(60)
            return talk, exchange, user

    talk, exchange, user = spoken(program, [STORY * 4])
    (story,) = talk.conversation.items
    (create,) = [e for e in exchange.received[1] if e["type"] == "conversation.item.create"]
    assert [story.text] == texts([create["item"]])
    assert round(story.audio_ms) == user.player.heard(story.id)


def test_a_turn_without_a_transcript_is_restored_as_its_sound():
    """The words never came, but the sound is still known: the new session hears it, and answers."""

    def cut(event):
        return 1011 if event["type"] == "response.created" and not cuts.append(1) and len(cuts) == 1 else None

    cuts = []

    async def program(talk, engine, exchange, user):
        async with talk.held(*user.hooked, heard=user.player):
            await talk.send({"type": "session.update", "session": HEARS})
            user.microphone.say(np.concatenate((loud(2), quiet(60))))
            await talk.events.until("response.done")
            await talk.wait(5)
            return talk, engine, exchange

    talk, _, exchange = spoken(program, ["No.", "Yes."], ["first time", "second time"], cut=cut)
    (create,) = [e for e in exchange.received[1] if e["type"] == "conversation.item.create"]
    assert "input_audio" == create["item"]["content"][0]["type"]
    assert 2.0 * 64_000 < len(create["item"]["content"][0]["audio"]) < 4.5 * 64_000
    assert ["user", "assistant"] == [item.role for item in talk.conversation.items]
    assert 1 == len(talk.events.of("response.done"))


SPEECH_AT = 2.0


def gap_program(policy, *, sentence_s, refusals=3):
    async def program(talk, engine, exchange, user):
        async with talk.held(*user.hooked, heard=user.player, mic=policy):
            await talk.send({"type": "session.update", "session": HEARS})
            user.microphone.say(np.concatenate((quiet(SPEECH_AT), loud(sentence_s), quiet(60))))
            await talk.wait(SPEECH_AT + 1)
            exchange.refusals = [ConnectionRefusedError("down")] * refusals
            exchange.drop(1006)
            await talk.events.until("local.session_replaced")
            await talk.wait(20)
            return talk, engine, exchange

    return program


def sound_of(events):
    sound = b"".join(base64.b64decode(e["audio"]) for e in events if e["type"] == "input_audio_buffer.append")
    return np.frombuffer(sound, "<i2")


def test_the_gap_is_dropped_by_default():
    """Nothing that was said during the gap reaches the new session."""
    talk, _, exchange = spoken(gap_program("drop", sentence_s=1.2), ["Yes."], ["what"])
    assert not sound_of(exchange.received[1]).any()
    assert [] == talk.events.of("response.done")


def test_an_unfinished_sentence_is_kept_until_its_end():
    """The user talks on through the gap: the new session hears the sentence from its beginning, and answers once."""
    talk, _, exchange = spoken(gap_program("until_speech_end", sentence_s=5), ["Yes."], ["lost", "the whole sentence"])
    spoken_s = np.count_nonzero(sound_of(exchange.received[1])) / 24_000
    assert 4.9 <= spoken_s <= 5.0
    assert ["the whole sentence", "Yes."] == [item.text for item in talk.conversation.items]
    assert 1 == len(talk.events.of("response.done"))


def test_a_sentence_that_ended_in_the_gap_is_not_replayed_into_a_session_that_answers():
    """It would be answered as if it had been said just now."""
    _, engine, exchange = spoken(gap_program("until_speech_end", sentence_s=1.2, refusals=5), ["Yes."], ["what"])
    assert not sound_of(exchange.received[1]).any()
    assert [] == list(engine.turns)


@pytest.mark.parametrize("policy", ["drop", keep_last(2.0), "until_speech_end"])
def test_stale_sound_never_reaches_a_session_that_answers_by_itself(policy):
    """Whatever is kept: a user who has been silent since is not answered."""
    talk, engine, _ = spoken(gap_program(policy, sentence_s=1.0), ["Yes."], ["what"])
    assert len(engine.turns) <= 1
    assert [] == talk.events.of("error")


def test_keep_last_reaches_a_session_that_waits_to_be_asked():
    """Where turns are committed by hand, the last seconds of the gap are part of the turn."""

    async def program(talk, engine, exchange, user):
        async with talk.held(*user.hooked, mic=keep_last(0.5)):
            await talk.send({"type": "session.update", "session": MANUAL})
            user.microphone.say(loud(60))
            await talk.wait(2)
            exchange.refusals = [ConnectionRefusedError("down")] * 3
            exchange.drop(1006)
            replaced = await talk.events.until("local.session_replaced")
            gap_s = replaced.gap_ms / 1000
            await talk.wait(1)
            await talk.send({"type": "input_audio_buffer.commit"})
            await talk.send({"type": "response.create"})
            await talk.events.until("response.done")
            return gap_s, exchange

    gap_s, exchange = spoken(program, ["Yes."], ["something"])
    events = exchange.received[1]
    commit = next(n for n, event in enumerate(events) if event["type"] == "input_audio_buffer.commit")
    assert gap_s > 1
    assert 1.45 < np.count_nonzero(sound_of(events[:commit])) / 24_000 < 1.55


def test_a_committed_turn_is_asked_for_again():
    """The server heard the turn and was about to answer: the next session answers it, once."""

    def cut(event):
        is_it = event["type"] == "response.created" and not cuts
        cuts.extend([1] if is_it else [])
        return 1012 if is_it else None

    cuts = []

    async def program(talk, engine, exchange):
        async with talk.held():
            session = {**HEARS, "output_modalities": ["text"]}
            await talk.send({"type": "session.update", "session": session})
            await talk.send(
                {
                    "type": "conversation.item.create",
                    "item": {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello?"}]},
                }
            )
            await talk.send({"type": "response.create"})
            await talk.events.until("response.done")
            await talk.wait(10)
            return talk, engine

    talk, engine = run(program, ["Lost.", "Hello!"], cut=cut)
    assert ["Hello?", "Hello!"] == [item.text for item in talk.conversation.items]
    assert 2 == len(engine.turns)


def test_pressing_the_key_through_a_gap():
    """A turn that was committed while there was no connection is not answered with nothing to answer."""

    async def program(talk, engine, exchange, user):
        async with talk.held(*user.hooked):
            await talk.send({"type": "session.update", "session": MANUAL})
            user.microphone.say(loud(60))
            await talk.wait(1)
            exchange.refusals = [ConnectionRefusedError("down")] * 3
            exchange.drop(1006)
            await talk.wait(0.5)
            await talk.send({"type": "input_audio_buffer.commit"})
            await talk.send({"type": "response.create"})
            await talk.wait(20)
            return talk, engine

    talk, engine = spoken(program, ["Yes."], ["x"])
    assert ([], []) == (list(engine.turns), talk.events.of("error"))
