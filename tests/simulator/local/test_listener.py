import asyncio
import importlib.util
import os

import numpy as np
import pytest

from listening import question
from openai_realtime_api_utils.clock import SystemClock
from openai_realtime_api_utils.errors import MissingExtraError
from openai_realtime_api_utils.simulator.engine import RATE, Fail
from openai_realtime_api_utils.simulator.local.listener import Listener, jsgf, spoken_form
from openai_realtime_api_utils.simulator.local.listener_worker import MAX_OPEN

pytest.importorskip("pocketsphinx", reason="there is none for this Python")


async def transcript(listener: Listener, samples: np.ndarray, piece: int = 2400) -> tuple[list[str], str | Fail]:
    """Return what was understood on the way, and at the end."""
    hearing = listener.listen()
    deltas = [await hearing.hear(samples[at : at + piece]) for at in range(0, len(samples), piece)]
    return [delta for delta in deltas if delta], await hearing.finish()


@pytest.fixture(scope="module")
def sum_question() -> np.ndarray:
    return question("sum")


@pytest.fixture
async def listener():
    made = Listener(clock=SystemClock())
    yield made
    await made.close()


async def test_it_understands_general_english(listener, sum_question):
    """A question without a grammar comes out word for word."""
    assert (await transcript(listener, sum_question))[1] == "what is six times seven"


async def test_what_it_says_on_the_way_is_the_beginning_of_the_whole(listener):
    """Deltas are never taken back: joined they begin the transcript."""
    deltas, whole = await transcript(listener, question("weather"))
    assert deltas
    assert whole.startswith("".join(deltas))


async def test_pieces_change_nothing_at_the_end(listener, sum_question):
    """The transcript does not depend on how the sound is cut."""
    assert {(await transcript(listener, sum_question, piece))[1] for piece in (479, len(sum_question))} == {
        "what is six times seven"
    }


async def test_silence_is_no_speech(listener):
    """Silence, and noise far below speech, hold no words."""
    noise = np.random.default_rng(0).normal(0, 30, 2 * RATE).astype(np.int16)
    assert [(await transcript(listener, sound))[1] for sound in (np.zeros(RATE, np.int16), noise)] == ["", ""]


async def test_an_utterance_without_sound_is_empty(listener):
    """Nothing heard is nothing said."""
    assert await listener.listen().finish() == ""


async def test_a_dropped_utterance_leaves_the_next_one_alone(listener, sum_question):
    """What was dropped halfway does not mix with what follows."""
    dropped = listener.listen()
    await dropped.hear(sum_question[: RATE // 2])
    await dropped.drop()
    assert (await transcript(listener, sum_question))[1] == "what is six times seven"


async def test_dropping_what_never_began_is_no_matter(listener):
    """Dropping needs no sound before it."""
    assert await listener.listen().drop() is None


async def test_utterances_may_overlap(listener, sum_question):
    """A second utterance begins before the first is finished, and neither disturbs the other."""
    both = await asyncio.gather(transcript(listener, sum_question), transcript(listener, question("story")))
    assert [whole for _, whole in both] == ["what is six times seven", "tell me a long story"]


async def test_the_oldest_of_too_many_utterances_is_lost_and_says_so(listener, sum_question):
    """Utterances that nobody finishes do not pile up."""
    forgotten = listener.listen()
    await forgotten.hear(sum_question[:480])
    for _ in range(MAX_OPEN):
        await listener.listen().hear(sum_question[:480])
    lost = await forgotten.finish()
    assert isinstance(lost, Fail)
    assert "more than 4" in lost.message


async def test_with_a_grammar_it_says_one_of_its_sentences(sum_question):
    """Given sentences, what is said is taken for the likeliest."""
    listener = Listener(clock=SystemClock(), grammar=["What is six times nine?", "What is six times seven?"])
    deltas, whole = await transcript(listener, sum_question)
    await listener.close()
    assert (deltas, whole) == ([], "what is six times seven")


async def test_what_fits_no_sentence_of_the_grammar_is_nothing(sum_question):
    """The beginning of a sentence is not taken for it."""
    listener = Listener(clock=SystemClock(), grammar=["What is six times seven divided by nine minus eleven?"])
    _, whole = await transcript(listener, sum_question)
    await listener.close()
    assert whole == ""


async def test_a_grammar_hears_nothing_in_silence_and_nothing_after_a_minute(sum_question):
    """Silence is no sentence, and sound beyond any sentence's length is not kept."""
    listener = Listener(clock=SystemClock(), grammar=["What is six times seven?"])
    silence = np.zeros(61 * RATE, np.int16)
    wholes = [(await transcript(listener, sound, RATE))[1] for sound in (silence, np.append(silence, sum_question))]
    await listener.close()
    assert wholes == ["", ""]


async def test_a_jsgf_grammar_is_taken_as_it_is(sum_question):
    """A grammar of the user's own may have rules, comments, tags and weights."""
    grammar = (
        "#JSGF V1.0 UTF-8 en;\n// sums\ngrammar sums;\n<number> = six | seven {7} | /2.5/ nine;\n"
        "public <sum> = what is <number> ( plus | times ) <number> [please];\n"
    )
    listener = Listener(clock=SystemClock(), grammar=grammar)
    _, whole = await transcript(listener, sum_question)
    await listener.close()
    assert whole == "what is six times seven"


@pytest.mark.parametrize(
    ("grammar", "message"),
    [
        (["open the xylotheque", "hello"], "does not know 'xylotheque'"),
        ("#JSGF V1.0;\ngrammar g;\npublic <a> = ( hello ;\n", "cannot be read: check its syntax"),
        ("hello there", "cannot be read: check its syntax"),
    ],
)
async def test_a_bad_grammar_is_told_in_one_sentence(sum_question, grammar, message):
    """The transcription fails with the reason; nothing raises."""
    listener = Listener(clock=SystemClock(), grammar=grammar)
    _, whole = await transcript(listener, sum_question)
    await listener.close()
    assert isinstance(whole, Fail)
    assert message in whole.message


async def test_a_dead_listener_fails_one_utterance_only(listener, sum_question):
    """The utterance that was under way is told as failed, and the next is understood again."""
    hearing = listener.listen()
    await hearing.hear(sum_question[:RATE])
    os.kill(listener._worker._running.process.pid, 9)
    assert await hearing.hear(sum_question[RATE:]) == ""
    failed = await hearing.finish()
    assert isinstance(failed, Fail)
    assert "ended by itself (killed by signal 9)" in failed.message
    assert (await transcript(listener, sum_question))[1] == "what is six times seven"


async def test_an_utterance_cut_off_by_a_restart_says_so(listener, sum_question):
    """An utterance that went on while another met the dead process is lost, and not mixed up with the new one."""
    first, second = listener.listen(), listener.listen()
    await first.hear(sum_question[:RATE])
    await second.hear(sum_question[:RATE])
    os.kill(listener._worker._running.process.pid, 9)
    await first.hear(sum_question[:480])
    await second.hear(sum_question[:480])
    lost = await second.finish()
    assert isinstance(lost, Fail)
    assert "was lost" in lost.message


def test_a_missing_pocketsphinx_is_told_where_it_is_built(monkeypatch):
    """The error names the package and the command that installs it."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r'pocketsphinx.*pip install "openai-realtime-api-utils\[local\]"'):
        Listener(clock=SystemClock())


def test_sentences_are_spelled_as_the_listener_spells():
    """Case, punctuation and hyphens go; apostrophes stay."""
    assert spoken_form("It\u2019s forty-two, isn't it?") == "it's forty two isn't it"


def test_a_grammar_holds_each_sentence_once():
    """Sentences that sound alike are one alternative, and empty ones none."""
    assert jsgf(["Hello!", "hello", "...", "Bye."]).endswith("<sentence> = hello | bye;\n")
