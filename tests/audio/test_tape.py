"""What sounds when."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.audio.tape import Tape
from openai_realtime_api_utils.errors import AudioError

FADE = 5


def tape():
    return Tape(keep=100_000, fade=FADE)


def sound(n, start=1):
    return np.arange(start, start + n).astype(np.int16)


def steady(n, value=600):
    return np.full(n, value, np.int16)


def sounded(of):
    return of.past(0)[1].tolist()


def test_stretches_sound_one_after_the_other():
    """The second begins at the sample after the first's last, silence follows."""
    t = tape()
    first, second = t.play(), t.play()
    t.write(second, sound(3, 100))
    t.write(first, sound(4))
    t.finish(first)
    t.finish(second)
    t.run_to(9)
    assert [1, 2, 3, 4, 100, 101, 102, 0, 0] == sounded(t)


def test_unfinished_speech_keeps_the_next_waiting():
    """Where more may come, the tape is silent; and what comes is faded in."""
    t = tape()
    first, second = t.play(), t.play()
    t.write(first, steady(2))
    t.write(second, steady(2, 9))
    t.run_to(4)
    t.write(first, steady(6))
    t.finish(first)
    t.run_to(12)
    assert [600, 600, 0, 0, 100, 200, 300, 400, 500, 600, 9, 9] == sounded(t)


def test_speech_that_comes_just_in_time_has_no_fade():
    """There was no hole, so nothing is softened."""
    t = tape()
    speech = t.play()
    t.write(speech, steady(4))
    t.run_to(4)
    t.write(speech, steady(4))
    t.run_to(8)
    assert [600] * 8 == sounded(t)


def test_the_beginning_of_speech_is_never_faded():
    """Waiting for the first sample is no hole."""
    t = tape()
    speech = t.play()
    t.run_to(3)
    t.write(speech, steady(2))
    t.run_to(5)
    assert [0, 0, 0, 600, 600] == sounded(t)


def test_cancel_fades_out_and_drops_the_rest():
    """The fade is heard but not counted; the next stretch follows it."""
    t = tape()
    first, second = t.play(), t.play()
    t.write(first, steady(100))
    t.write(second, steady(2, 9))
    t.run_to(10)
    heard = t.cancel(first)
    t.run_to(18)
    assert ([600] * 10 + [500, 400, 300, 200, 100] + [9, 9, 0], 10) == (sounded(t), heard)


def test_cancelled_speech_stays_silent():
    """What is written after the cut never sounds."""
    t = tape()
    speech = t.play()
    t.cancel(speech)
    t.write(speech, steady(3))
    t.run_to(3)
    assert ([0, 0, 0], 0) == (sounded(t), speech.heard)


def test_held_speech_goes_on_at_the_very_sample():
    """Nothing is lost and nothing counted while it is held."""
    t = tape()
    speech = t.play()
    t.write(speech, sound(100, 1_000))
    t.run_to(10)
    t.hold(speech)
    t.run_to(50)
    held_at = speech.heard
    t.go_on(speech)
    t.run_to(60)
    assert (10, 20) == (held_at, speech.heard)
    assert list(range(1_015, 1_020)) == sounded(t)[55:]
    assert [0] * 35 == sounded(t)[15:50]


def test_a_held_beginning_is_not_faded_in():
    """Speech that was held before it sounded starts as it is."""
    t = tape()
    speech = t.play()
    t.hold(speech)
    t.write(speech, steady(3))
    t.run_to(2)
    t.go_on(speech)
    t.run_to(5)
    assert [0, 0, 600, 600, 600] == sounded(t)


def test_writing_after_finish_is_told():
    """A promise was broken."""
    t = tape()
    speech = t.play()
    t.finish(speech)
    with pytest.raises(AudioError, match="7 samples were written to speech that is finished"):
        t.write(speech, steady(7))


def test_the_past_is_forgotten_in_time():
    """What is remembered reaches back by ``keep`` and is bounded."""
    t = Tape(keep=100, fade=FADE)
    speech = t.play()
    for i in range(50):
        t.write(speech, sound(10, 10 * i))
        t.run_to(10 * (i + 1))
    start, samples = t.past(0)
    assert (400, list(range(400, 500))) == (start, samples.tolist())


def test_the_future_is_not_told():
    """Asking beyond the present gives nothing."""
    t = tape()
    t.run_to(10)
    start, samples = t.past(50)
    assert (10, 0) == (start, len(samples))


def test_long_silence_is_one_piece():
    """A silent day costs no memory."""
    t = tape()
    for second in range(1, 1_000):
        t.run_to(24_000 * second)
    assert 1 == len(t._past)


actions = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 60)),
        st.tuples(st.just("run"), st.integers(0, 80)),
        st.tuples(st.just("hold"), st.just(0)),
        st.tuples(st.just("go_on"), st.just(0)),
    ),
    max_size=30,
)


@given(actions, st.lists(st.integers(1, 40), max_size=8))
def test_all_that_was_written_is_heard_once_and_in_order(script, runs):
    """Holes and holds delay speech and soften its edges; they lose nothing, and heard never exceeds written."""
    t = Tape(keep=1_000_000, fade=0)
    speech, written, heard = t.play(), 0, 0
    for action, n in script:
        if action == "write":
            t.write(speech, sound(n, written + 1))
            written += n
        elif action == "run":
            t.run_to(t.head + n)
        else:
            getattr(t, action)(speech)
        assert heard <= speech.heard <= written
        heard = speech.heard
    t.go_on(speech)
    t.finish(speech)
    for n in runs:
        t.run_to(t.head + n)
    t.run_to(t.head + written + 1)
    assert written == speech.heard
    assert list(range(1, written + 1)) == [s for s in sounded(t) if s]


@given(st.integers(0, 200), st.integers(0, 200), st.lists(st.integers(1, 50), max_size=6))
def test_cancel_drops_the_rest(n, at, runs):
    """Heard is what time allowed, and stays."""
    t = tape()
    speech = t.play()
    t.write(speech, steady(n))
    t.run_to(at)
    heard = t.cancel(speech)
    for step in runs:
        t.run_to(t.head + step)
    assert (min(n, at), min(n, at)) == (heard, speech.heard)
    assert np.count_nonzero(t.past(0)[1]) <= heard + FADE


@given(st.integers(1, 300), st.lists(st.integers(1, 60), max_size=10))
def test_how_time_comes_does_not_matter(n, runs):
    """One long step sounds what many short ones do."""
    end, outcomes = sum(runs) + n, []
    for steps in ([end], [*np.cumsum(runs).tolist(), end]):
        t = tape()
        speech = t.play()
        t.write(speech, sound(n))
        t.finish(speech)
        for position in steps:
            t.run_to(position)
        outcomes.append(sounded(t))
    assert outcomes[0] == outcomes[1]
