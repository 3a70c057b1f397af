"""The time of a stream's samples, from stamps that are noisy, and at times wrong."""

import numpy as np
import pytest

from openai_realtime_api_utils.audio.anchor import Anchor, Stamp

RATE = 24_000


def stamps(zero, start, seconds, noise=0.0, rng=None):
    """Yield stamps every 250 ms of a stream whose sample 0 was at the converter at ``zero``."""
    for n in range(int(seconds * 4)):
        t = start + n / 4
        off = noise * rng.standard_normal() if rng is not None else 0.0
        yield Stamp(t + off, round((t - zero) * RATE))


def seen(anchor, *runs):
    return [anchor.see(stamp) for run in runs for stamp in run]


def test_two_stamps_that_agree_are_believed():
    """One is not."""
    anchor = Anchor(RATE)
    first, second = stamps(10.0, 11.0, 0.5)
    anchor.see(first)
    known = anchor.is_known
    anchor.see(second)
    assert (False, True) == (known, anchor.is_known)
    assert 10.0 == pytest.approx(anchor.zero, abs=1e-4)


def test_a_beginning_that_is_wrong_at_first_is_not_believed():
    """Stamps of a stream that has not really begun agree with each other, but not for long."""
    anchor = Anchor(RATE)
    for n in range(4):
        anchor.see(Stamp(10.0 + 0.03 * n, round(0.03 * n * RATE)))
    assert not anchor.is_known
    seen(anchor, stamps(10.3, 11.0, 1))
    assert 10.3 == pytest.approx(anchor.zero, abs=1e-4)


def test_a_jump_is_found_by_the_second_stamp_that_says_so():
    """An xrun of 150 ms: the stream is that much later from there on."""
    anchor = Anchor(RATE)
    jumps = seen(anchor, stamps(10.0, 11.0, 2), stamps(10.15, 13.0, 1))
    assert [0.15] == [pytest.approx(jump, abs=1e-3) for jump in jumps if jump]
    assert (1, 10.15) == (sum(map(bool, jumps)), pytest.approx(anchor.zero, abs=1e-3))


def test_a_single_wrong_stamp_changes_nothing():
    """It puts the anchor in doubt, and the next takes the doubt away."""
    anchor = Anchor(RATE)
    seen(anchor, stamps(10.0, 11.0, 2))
    anchor.see(Stamp(13.02, 3 * RATE))
    doubt = anchor.is_in_doubt
    seen(anchor, stamps(10.0, 13.5, 1))
    assert (True, False) == (doubt, anchor.is_in_doubt)
    assert 10.0 == pytest.approx(anchor.zero, abs=1e-4)


def test_noise_is_averaged():
    """Stamps 1 ms off give a time that is nearer than that."""
    anchor = Anchor(RATE)
    seen(anchor, stamps(10.0, 11.0, 60, 0.001, np.random.default_rng(1)))
    assert 10.0 == pytest.approx(anchor.zero, abs=0.0005)
    assert 11.0 == pytest.approx(anchor.time_of(RATE), abs=0.0005)


def test_a_server_that_guesses_its_delay_makes_no_jumps():
    """It strays by 4 ms a second and steps back; the shape is a PulseAudio client's in its first seconds, measured."""
    anchor = Anchor(RATE)
    strayed = [0.004 * (n / 4 % 1.5) + 0.006 * np.exp(-n / 16) for n in range(80)]
    jumps = [anchor.see(Stamp(11.0 + n / 4 + off, round((1.0 + n / 4) * RATE))) for n, off in enumerate(strayed)]
    assert not any(jumps)
    assert 10.0 == pytest.approx(anchor.zero, abs=0.005)
