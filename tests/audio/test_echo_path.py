"""Finding a known sound again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime_api_utils.audio.echo_path import chirp, find

RATE = 24_000


@settings(deadline=None, max_examples=30)
@given(st.integers(0, RATE), st.floats(-40, 0), st.integers(0, 2**32 - 1))
def test_a_chirp_is_found_where_it_is(delay, gain_db, seed):
    """Its place is found to the sample and its level to a fraction of a dB, in noise 20 dB below it."""
    sound, gain = chirp(RATE), 10 ** (gain_db / 20)
    recorded = np.random.default_rng(seed).normal(0, 0.1 * gain * sound.astype(float).std(), 2 * RATE)
    recorded[delay : delay + len(sound)] += sound * gain
    path = find(sound, np.asarray(np.round(recorded), np.int16))
    assert path is not None
    assert abs(path.delay - delay) <= 1
    assert path.gain_db == pytest.approx(gain_db, abs=0.6)


def test_an_inverted_echo_counts():
    """A loudspeaker wired the other way round is heard as well."""
    sound = chirp(RATE)
    path = find(sound, np.concatenate((np.zeros(100, np.int16), -sound)))
    assert (path.delay, round(path.gain_db, 3)) == (100, 0)


@pytest.mark.parametrize(
    "recorded",
    [
        np.zeros(RATE, np.int16),
        np.zeros(10, np.int16),
        np.random.default_rng(1).integers(-3000, 3000, 2 * RATE).astype(np.int16),
        (np.sin(np.arange(2 * RATE) / 7) * 9000).astype(np.int16),
    ],
    ids=["silence", "too short", "noise", "a tone"],
)
def test_nothing_is_found_where_it_is_not(recorded):
    """Silence, noise and other sounds are not taken for the chirp."""
    assert find(chirp(RATE), recorded) is None
