"""Levels and fades."""

import numpy as np
import pytest

from openai_realtime_api_utils.audio.level import SILENCE_DBFS, faded_in, faded_out, peak_dbfs, rms_dbfs


def test_a_full_scale_sine_is_minus_three():
    """RMS is counted from full scale."""
    sine = (32_767 * np.sin(np.arange(24_000) * 2 * np.pi / 100)).astype(np.int16)
    assert rms_dbfs(sine) == pytest.approx(-3.01, abs=0.01)


def test_the_lowest_sample_is_full_scale():
    """The peak of -32768 does not overflow."""
    assert peak_dbfs(np.array([-32_768, 5], np.int16)) == 0.0


@pytest.mark.parametrize("measure", [rms_dbfs, peak_dbfs])
@pytest.mark.parametrize("n", [0, 10])
def test_silence_is_a_number(measure, n):
    """Silence and nothing can be drawn by a meter."""
    assert SILENCE_DBFS == measure(np.zeros(n, np.int16))


def test_a_fade_in_may_come_in_pieces():
    """Fading a sound in two pieces is fading it in one."""
    sound = np.full(100, 1_000, np.int16)
    pieces = [*faded_in(sound[:30], 60), *faded_in(sound[30:], 60, start=30)]
    assert faded_in(sound, 60).tolist() == pieces
    assert pieces[60:] == [1_000] * 40


def test_a_fade_out_falls_to_nothing():
    """The last sample of a fade-out is next to silence."""
    faded = faded_out(np.full(120, 12_100, np.int16)).tolist()
    assert sorted(faded, reverse=True) == faded
    assert (faded[0], faded[-1]) == (12_000, 100)
