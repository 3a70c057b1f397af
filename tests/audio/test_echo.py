"""Echo cancellers, half duplex, and what happens when a canceller fails."""

import numpy as np
import pytest

from openai_realtime_api_utils.audio.echo import Aec3, Cleaner, HalfDuplex
from openai_realtime_api_utils.host.wav_reader import read_wav
from openai_realtime_api_utils.simulator import questions

RATE = 24_000
FRAME = RATE // 100
LOUD, QUIET = np.full(FRAME, 3_000, np.int16), np.zeros(FRAME, np.int16)


class Straight:
    """Cancel nothing."""

    def process(self, near, far):
        return near


class Failing:
    """Work for a while."""

    def __init__(self, frames, result=None):
        self.frames, self.result = frames, result

    def process(self, near, far):
        self.frames -= 1
        if self.frames < 0:
            if self.result is not None:
                return self.result
            raise RuntimeError("out of order")
        return near


def test_half_duplex_is_silent_while_the_far_end_sounds_and_for_the_tail():
    """300 ms by default."""
    gate = HalfDuplex(RATE)
    heard = [gate.process(LOUD, far).any() for far in [QUIET, LOUD, LOUD, *[QUIET] * 40]]
    assert [True, False, False, *[False] * 30, *[True] * 10] == heard


def test_the_first_second_of_sound_is_not_heard():
    """Until the canceller has adapted; silence of the far end does not count, and lets the near end through."""
    cleaner = Cleaner(RATE, Straight())
    assert cleaner.process(LOUD, QUIET).any()
    heard = [cleaner.process(LOUD, LOUD).any() for _ in range(120)]
    assert [False] * 100 == heard[:100]
    assert heard[-1]
    assert cleaner.is_settled


def test_a_canceller_that_has_to_adapt_anew_is_not_heard_again():
    """For another second of sound; half duplex has nothing to adapt."""
    cleaner = Cleaner(RATE, Straight())
    for _ in range(120):
        cleaner.process(LOUD, LOUD)
    cleaner.unsettle()
    assert [False] * 100 == [cleaner.process(LOUD, LOUD).any() for _ in range(100)]
    gate = Cleaner(RATE, HalfDuplex(RATE))
    gate.unsettle()
    assert gate.is_settled


@pytest.mark.parametrize("result", [None, np.zeros(3, np.int16)])
def test_a_canceller_that_fails_gives_way_to_half_duplex(result):
    """Whether it raises or returns nonsense; the reason is kept."""
    cleaner = Cleaner(RATE, Failing(150, result))
    for _ in range(150):
        cleaner.process(LOUD, LOUD)
    assert (None, False) == (cleaner.fault, cleaner.is_half_duplex)
    assert not cleaner.process(LOUD, LOUD).any()
    assert ("RuntimeError: out of order" if result is None else "AudioError: it returned") in cleaner.fault
    assert cleaner.is_half_duplex
    heard = [cleaner.process(LOUD, QUIET).any() for _ in range(40)]
    assert (False, True) == (heard[0], heard[-1])


def test_aec3_takes_a_delayed_echo_out():
    """By 30 dB and more after three seconds; and leaves the near end."""
    far = np.tile(read_wav(questions.path()), 4)[: 5 * RATE]
    echo = np.concatenate((np.zeros(2_000), far[:-2_000])) * 0.5
    canceller = Aec3(RATE)
    rest = np.concatenate(
        [canceller.process(echo[n : n + FRAME].astype(np.int16), far[n : n + FRAME]) for n in range(0, len(far), FRAME)]
    ).astype(float)
    late = slice(3 * RATE, 5 * RATE)
    assert 10 * np.log10(np.mean(echo[late] ** 2) / (np.mean(rest[late] ** 2) + 1e-3)) > 30
