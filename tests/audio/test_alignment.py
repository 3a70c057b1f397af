"""The far end stays where it is, follows two clocks by single samples, and jumps when it is really off."""

import numpy as np
import pytest

from openai_realtime_api_utils.audio.alignment import Alignment

RATE = 24_000


def follow(alignment, wanted_at, seconds, noise_s=0.0, start=0.0):
    """Measure four times a second and read 100 frames a second; return (time, offset, wanted) of each frame."""
    rng = np.random.default_rng(2)
    read = []
    for n in range(round(seconds * 100)):
        now = start + n / 100
        if n % 25 == 0:
            alignment.measure(now, wanted_at(now) + rng.standard_normal() * noise_s * RATE)
        read.append((now, alignment.offset(now), wanted_at(now)))
    return read


def test_noise_moves_nothing():
    """Measurements 0.3 ms off (smoothed as they come) leave the reference where it was."""
    alignment = Alignment(RATE)
    read = follow(alignment, lambda _: 960.0, 120, noise_s=0.0003)
    assert len({offset for _, offset, _ in read}) <= 12
    assert 0 == alignment.resets


@pytest.mark.parametrize("ppm", [100, -100, 270])
def test_skew_is_followed_by_single_samples(ppm):
    """Never more than one at a time, and never 4 ms off."""
    alignment = Alignment(RATE)
    read = follow(alignment, lambda now: 960 + now * RATE * ppm / 1e6, 180, noise_s=0.0003)
    offsets = np.array([offset for _, offset, _ in read])
    assert np.abs(np.diff(offsets)).max() == 1
    assert max(abs(offset - wanted) for _, offset, wanted in read) < 0.004 * RATE
    assert 0 == alignment.resets


def test_what_is_really_off_is_set_anew():
    """An xrun of 150 ms."""
    alignment = Alignment(RATE)
    read = follow(alignment, lambda now: 960.0 if now < 5 else 4_560.0, 10)
    assert {960, 4_560} == {offset for _, offset, _ in read}
    assert 1 == alignment.resets


def test_a_server_that_guesses_its_delay_moves_little():
    """It guesses 15 ms off at first and better for 20 s, and steps all the while; nothing has moved in truth."""
    alignment = Alignment(RATE)
    read = follow(alignment, lambda now: 960 + RATE * (0.015 * np.exp(-now / 6) + 0.004 * (now % 1.5)), 120)
    assert len({offset for _, offset, _ in read}) <= 24
    assert 0 == alignment.resets


def test_while_the_echo_is_known_only_a_jump_of_the_clocks_counts():
    """They stray by 200 ppm for five minutes, and jump by 150 ms; ``slip`` alone moves the offset by less."""
    alignment = Alignment(RATE)
    offsets = []
    for n in range(1_300):
        wanted = 960 + n / 4 * RATE * 2e-4 + (3_600 if n >= 1_200 else 0)
        alignment.measure(n / 4, wanted, is_echo_known=True)
        offsets.append(alignment.offset(n / 4))
    jump = offsets[-1] - 960
    assert {960} == set(offsets[:1_200])
    assert (1, True) == (len(set(offsets[1_200:])), abs(jump - 3_600) < 24)
    alignment.slip(-2)
    assert (960 + jump - 2, 2) == (alignment.offset(400.0), alignment.slips)


def test_it_must_be_measured_first():
    """There is nothing to read before."""
    with pytest.raises(ValueError, match="measure"):
        Alignment(RATE).offset(0.0)
