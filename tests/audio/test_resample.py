"""Resampling as the sound comes."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime_api_utils.audio.resample import Resampler, resample
from openai_realtime_api_utils.errors import FormatError, MissingExtraError

RATES = [8_000, 16_000, 22_050, 24_000, 44_100, 48_000]


def tone(rate, seconds=0.3, hz=440, amplitude=8_000):
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(int(rate * seconds)) / rate)).astype(np.int16)


def noise(n):
    return np.random.default_rng(7).integers(-32_768, 32_767, n).astype(np.int16)


@settings(max_examples=50, deadline=None)
@given(
    rates=st.tuples(st.sampled_from(RATES), st.sampled_from(RATES)),
    n=st.integers(0, 6_000),
    chunks=st.lists(st.integers(1, 1_500), min_size=1, max_size=20),
)
def test_pieces_do_not_matter(rates, n, chunks):
    """However a sound is cut, the result is that of the whole."""
    sound, resampler, out, at = noise(n), Resampler(*rates), [], 0
    while at < n:
        size = chunks[len(out) % len(chunks)]
        out.append(resampler.process(sound[at : at + size]))
        at += size
    pieced = np.concatenate([*out, resampler.finish()]).astype(int)
    whole = resample(sound, *rates).astype(int)
    assert len(whole) == len(pieced)
    assert np.max(np.abs(whole - pieced), initial=0) <= 1


@pytest.mark.parametrize("to_rate", RATES)
@pytest.mark.parametrize("from_rate", RATES)
def test_length_and_pitch_stay(from_rate, to_rate):
    """A tone keeps its length, its pitch, its level and its place."""
    got = resample(tone(from_rate), from_rate, to_rate)
    expected = tone(to_rate)
    assert abs(len(expected) - len(got)) <= 1
    inner = slice(to_rate // 100, len(expected) - to_rate // 100)
    assert np.max(np.abs(got[: len(expected)].astype(int)[inner] - expected[inner])) <= 8


def test_equal_rates_pass_through():
    """Nothing is computed where nothing changes."""
    sound = noise(100)
    assert sound.tolist() == resample(sound, 24_000, 24_000).tolist()


def test_a_resampler_can_be_used_again():
    """After finish, the next sound does not remember the last."""
    resampler = Resampler(24_000, 8_000)
    resampler.process(noise(999))
    resampler.finish()
    again = np.concatenate((resampler.process(tone(24_000)), resampler.finish()))
    assert resample(tone(24_000), 24_000, 8_000).tolist() == again.tolist()


def test_full_scale_does_not_wrap():
    """The filter's overshoot at a full-scale edge is clipped."""
    square = np.repeat(np.array([32_767, -32_768] * 20, np.int16), 50)
    got = resample(square, 24_000, 48_000).astype(int)
    assert np.all(np.sign(got[10:90]) == 1)


def test_missing_package_is_told(monkeypatch):
    """Without samplerate, one sentence says what to install."""
    monkeypatch.setitem(sys.modules, "samplerate", None)
    with pytest.raises(MissingExtraError, match=r'pip install "openai-realtime-api-utils\[audio\]"'):
        Resampler(24_000, 48_000)


def test_a_rate_of_zero_is_told():
    """A rate is positive."""
    with pytest.raises(FormatError, match="from 0 Hz to 24000 Hz"):
        Resampler(0, 24_000)
