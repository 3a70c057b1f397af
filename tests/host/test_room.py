"""A room in memory: what is said in it and what its loudspeaker sounds is heard at its microphone."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import AudioError
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.host.room import Room
from openai_realtime_api_utils.ports import SpeechId


def heard(seconds, act, **options):
    """Return what the microphone heard for so long after ``act(room)``."""
    clock = ManualClock(50.0)
    room = Room(clock, **options)
    act(room)

    async def main():
        blocks = []
        async for frame in room.microphone.frames():
            blocks.append(frame.samples)
            if clock.now() >= 50 + seconds - 1e-6:
                break
        return np.concatenate(blocks)

    return fast_forward.run(main(), clock)


def play(room, samples):
    playback = room.speaker.play(SpeechId("item"))
    playback.write(samples)
    playback.finish()


RAMP = np.arange(1, 2_401, dtype=np.int16)


@given(st.integers(0, 100))
def test_the_echo_comes_late_and_softer(delay_ms):
    """What sounds is heard so much later, at so much of its level, to the sample."""
    came = heard(0.4, lambda room: play(room, RAMP), delay_ms=delay_ms, gain=0.5)
    expected = np.zeros(9_600, np.int16)
    expected[delay_ms * 24 :][: len(RAMP)] = RAMP * 0.5
    assert np.array_equal(expected[480:], came[480:])  # a loudspeaker fades in


def test_what_is_said_is_heard_at_once():
    """Somebody speaks into the microphone, one utterance after the other."""

    def act(room):
        room.say(RAMP)
        room.say(RAMP)

    came = heard(0.4, act)
    assert np.array_equal(np.concatenate((RAMP, RAMP)), came[:4_800])
    assert not came[4_800:].any()


def test_both_are_heard_at_once():
    """Near speech and echo add up, and are limited to what 16 bits hold."""

    def act(room):
        play(room, np.full(4_800, 30_000, np.int16))
        room.say(np.full(4_800, 30_000, np.int16))

    assert 32_767 == heard(0.2, act, gain=1.0, delay_ms=0)[2_400]


def test_a_headset_hears_nothing():
    """Without gain there is no echo."""
    assert not heard(0.4, lambda room: play(room, RAMP), gain=0).any()


def test_noise_has_its_level():
    """The noise has the level that was asked for, and is the same every time."""
    first, second = (heard(1.0, lambda room: None, noise=0.01) for _ in range(2))
    assert 327.68 == pytest.approx(math.sqrt(np.mean(first.astype(float) ** 2)), rel=0.02)
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", ["delay_ms", "gain", "noise"])
def test_levels_below_nothing_are_refused(name):
    """One sentence says which."""
    with pytest.raises(AudioError, match=f"A room's {name} cannot be -1: give 0 or more"):
        Room(ManualClock(), **{name: -1})


def test_it_knows_who_listens():
    """A microphone says whether it is open, and until when somebody speaks."""
    clock = ManualClock()
    room = Room(clock)
    room.say(RAMP)

    async def main():
        frames = room.microphone.frames()
        before = room.microphone.is_open
        await anext(frames)
        during = room.microphone.is_open
        await frames.aclose()
        return before, during, room.microphone.is_open, room.microphone.said_until

    assert (False, True, False, 0.1) == fast_forward.run(main(), clock)


def test_a_ringing_room_rings_on():
    """With a reverberation time, sound goes on after the loudspeaker has fallen silent, and dies away."""
    clock = ManualClock()
    room = Room(clock, delay_ms=40, gain=0.5, rt60_s=0.3)

    async def main():
        playback = room.speaker.play(SpeechId("a"))
        playback.write(np.full(2_400, 8_000, np.int16))
        playback.finish()
        heard = []
        async for frame in room.microphone.frames():
            heard.append(frame.samples)
            if len(heard) == 40:
                break
        return np.concatenate(heard).astype(float)

    heard = fast_forward.run(main(), clock)
    parts = (heard[1_000:3_300], heard[3_500:4_500], heard[9_000:10_000])
    direct, ringing, later = (float(np.sqrt(np.mean(part**2))) for part in parts)
    assert direct > ringing > later
    assert ringing > 50
