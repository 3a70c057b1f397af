"""A loudspeaker that remembers and a microphone that is told what to hear."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.host.memory import MemoryMicrophone, MemorySpeaker
from openai_realtime_api_utils.host.tape_speaker import TapeSpeaker
from openai_realtime_api_utils.ports import SpeechId


def steady(n, value=600):
    return np.full(n, value, np.int16)


def test_heard_follows_the_clock():
    """What was heard is what time allowed, never more than was written."""
    clock = ManualClock(100.0)
    speech = MemorySpeaker(clock).play(SpeechId("item"))
    speech.write(steady(4_800))
    heard = []
    for _ in range(3):
        heard.append((speech.heard().samples, round(speech.heard().at, 6)))
        clock.advance(0.15)
    assert [(0, 100.0), (3_600, 100.15), (4_800, 100.3)] == heard


@pytest.mark.parametrize("step", [0.01, 0.02, 1 / 3, 0.1])
def test_clocks_in_floats_lose_no_sample(step):
    """A thousand steps of time are a thousand steps of sound."""
    clock = ManualClock()
    speaker = MemorySpeaker(clock)
    speech = speaker.play(SpeechId("item"))
    speech.write(steady(24_000 * 400, 1))
    for _ in range(1_000):
        clock.advance(step)
    assert round(24_000 * 1_000 * step) == speech.heard().samples


def test_speech_waits_for_the_speech_before_it():
    """Playbacks sound in the order of play(), not of write()."""
    clock = ManualClock()
    speaker = MemorySpeaker(clock, rate=1_000)
    first, second = speaker.play(SpeechId("a")), speaker.play(SpeechId("b"))
    second.write(steady(10, 2))
    first.write(steady(10, 1))
    first.finish()
    clock.advance(0.03)
    assert [1] * 10 + [2] * 10 + [0] * 10 == speaker.sounded().tolist()


def test_held_speech_resumes_at_the_very_sample():
    """Held for a second, nothing is skipped or repeated in the count."""
    clock = ManualClock()
    speech = MemorySpeaker(clock).play(SpeechId("a"))
    speech.write(steady(24_000))
    clock.advance(0.5)
    speech.hold()
    clock.advance(1.0)
    held = speech.heard().samples
    speech.go_on()
    clock.advance(0.25)
    assert (12_000, 18_000) == (held, speech.heard().samples)


def test_played_is_the_far_end():
    """It gives what sounded since a moment, silence included, with the time of its first sample."""
    clock = ManualClock(10.0)
    speaker = MemorySpeaker(clock, rate=1_000)
    clock.advance(0.01)
    speaker.play(SpeechId("a")).write(steady(5, 7))
    clock.advance(0.01)
    frame = speaker.played(since=10.008)
    assert ([0, 0, 7, 7, 7, 7, 7, 0, 0, 0, 0, 0], 10.008) == (frame.samples.tolist(), pytest.approx(frame.time))


def test_what_is_too_old_is_forgotten():
    """The frame begins where memory does."""
    clock = ManualClock()
    speaker = MemorySpeaker(clock, rate=1_000, keep_s=0.01)
    speech = speaker.play(SpeechId("a"))
    for _ in range(10):
        speech.write(steady(10))
        clock.advance(0.01)
        speech.heard()
    assert (pytest.approx(0.09), 10) == (speaker.played(0.0).time, len(speaker.played(0.0).samples))


def test_a_told_microphone_hears_it_at_once_and_silence_around():
    """What is said starts with the next frame and is not cut at frame edges."""
    clock = ManualClock()
    microphone = MemoryMicrophone(clock, rate=1_000, frame_ms=10)
    heard = []

    async def main():
        async for frame in microphone.frames():
            heard.append((round(frame.time, 6), frame.samples.tolist()))
            if len(heard) == 1:
                microphone.say(steady(7, 1))
                microphone.say(steady(6, 2))
                microphone.end()

    fast_forward.run(main(), clock)
    assert [(0.0, [0] * 10), (0.01, [1] * 7 + [2] * 3), (0.02, [2] * 3 + [0] * 7)] == heard


steps = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "write", "play", "finish", "hold", "go_on", "cancel", "heard"]),
        st.integers(0, 2),
        st.integers(0, 30),
    ),
    max_size=40,
)


@given(steps)
def test_when_the_tape_is_told_the_time_changes_nothing(steps):
    """A loudspeaker that puts off what writing need not wait for sounds as one that does all of it at once."""

    def sounded(**options):
        clock = ManualClock()
        speaker = TapeSpeaker(clock, 1_000, keep_s=60, **options)
        speeches, finished, told = [speaker.play(SpeechId("0"))], set(), []
        for number, (what, which, ms) in enumerate(steps):
            clock.advance(ms / 1000)
            at = which % len(speeches)
            if what == "play":
                speeches.append(speaker.play(SpeechId(str(number))))
            elif what == "write" and at not in finished:
                sound = np.arange(1, 21, dtype="<i2") + 50 * number
                speeches[at].write(np.frombuffer(sound.tobytes(), "<i2"))
            elif what in ("finish", "hold", "go_on", "cancel"):
                getattr(speeches[at], what)()
                finished |= {at} if what in ("finish", "cancel") else set()
            elif what == "heard":
                told.append(speeches[at].heard())
        clock.advance(0.5)
        return speaker.come_to_present().past(0)[1].tolist(), told

    assert sounded() == sounded(on_sounded=lambda _: None)


def test_what_was_written_stays_as_it_was():
    """Whoever writes samples may use their memory again."""
    clock = ManualClock()
    speaker = MemorySpeaker(clock)
    samples = steady(480)
    speaker.play(SpeechId("item")).write(samples)
    samples[:] = 0
    clock.advance(0.02)
    assert speaker.sounded().tolist() == [600] * 480
