"""How the echo of the far end drifts, heard in the two as they are read."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime_api_utils.audio.echo_lag import EchoLag

RATE, FRAME = 24_000, 240


def voice_like(seconds, seed):
    """Return noise with a voice's spectrum and syllables, at about -22 dBFS."""
    noise = np.random.default_rng(seed).standard_normal(round(seconds * RATE) + 50)
    low = np.convolve(noise, np.hanning(25), "valid")[: round(seconds * RATE)]
    return low / low.std() * 2_500 * (1 + np.sin(np.arange(len(low)) * 2 * np.pi * 4 / RATE)) / 1.2


class Reader:
    """Read a far end as an engine does: a sample earlier or later when told to."""

    def __init__(self, far, delay_at, *, over=None, noise=0.0, seed=1):
        self.lag, self.far, self.delay_at = EchoLag(), far, delay_at
        self.noise = np.random.default_rng(seed).standard_normal(len(far)) * noise + (0 if over is None else over)
        self.offset, self.steps = 0, []

    def frame(self, n):
        """Hear frame ``n``; return the delay that it was read with."""
        delay = self.delay_at(n / 100)
        at = n * FRAME + np.arange(FRAME)
        whole, part = divmod(at - delay, 1.0)
        whole = whole.astype(int)
        near = self.far[whole] * (1 - part) + self.far[whole + 1] * part + self.noise[at]
        step = self.lag.hear(near.astype(np.int16), self.far[at + self.offset].astype(np.int16))
        self.steps.append(step)
        self.offset -= step
        return delay + self.offset

    def delays(self, start_s, end_s):
        return [self.frame(n) for n in range(round(start_s * 100), round(end_s * 100))]


@settings(deadline=None, max_examples=12)
@given(st.integers(-400, 400), st.floats(300, 6_000), st.integers(0, 2**16))
def test_a_drift_is_followed_to_the_sample(ppm, delay, seed):
    """Of 400 ppm at most, after 12 seconds; never by more than one sample in a frame."""
    reader = Reader(voice_like(22, seed), lambda t: delay + ppm * 1e-6 * RATE * t, noise=50.0, seed=seed)
    reader.delays(1, 12)
    read = np.array(reader.delays(12, 20))
    assert reader.lag.is_known
    assert np.ptp(read) < 3
    assert set(reader.steps) <= {-1, 0, 1}


def test_an_echo_that_stays_moves_nothing():
    """Not by a sample, in a minute."""
    reader = Reader(voice_like(62, 5), lambda _: 2_000.0, noise=50.0)
    reader.delays(1, 61)
    assert not any(reader.steps)


def test_the_drift_goes_on_while_nobody_speaks():
    """For half a minute of silence; the canceller finds its room again where it left it."""
    far = voice_like(52, 6)
    far[15 * RATE : 45 * RATE] = 0
    reader = Reader(far, lambda t: 2_000 + 1e-4 * RATE * t, noise=3.0)
    before = np.mean(reader.delays(1, 15)[-100:])
    reader.delays(15, 45.5)
    assert abs(np.mean(reader.delays(45.5, 46)) - before) < 6


def test_a_voice_over_it_does_not_draw_it_away():
    """As loud as the echo, for three seconds of twelve."""
    over = voice_like(22, 8)
    over[: 8 * RATE] = over[11 * RATE :] = 0
    reader = Reader(voice_like(22, 7), lambda _: 3_000.0, over=over)
    read = reader.delays(1, 20)
    assert max(read) - min(read) <= 1


def test_without_an_echo_there_is_nothing_to_follow():
    """Headphones: what the microphone hears is a voice of its own."""
    reader = Reader(voice_like(12, 9), lambda _: 0.0)
    voice = voice_like(12, 10)
    for n in range(1_000):
        at = slice(n * FRAME, (n + 1) * FRAME)
        assert reader.lag.hear(voice[at].astype(np.int16), reader.far[at].astype(np.int16)) == 0
    assert not reader.lag.is_known
    assert not reader.lag.is_echo()


def test_an_echo_that_went_elsewhere_is_found_again():
    """The delay that it has then is kept from there on."""
    reader = Reader(voice_like(22, 11), lambda t: 2_000.0 if t < 8 else 3_500.0, noise=50.0)
    reader.delays(1, 14)
    read = reader.delays(14, 20)
    assert reader.lag.is_known
    assert max(read) - min(read) <= 1


@pytest.mark.parametrize(("over_db", "is_echo"), [(None, True), (-20, True), (0, False), (6, False)])
def test_echo_alone_is_told_from_a_voice_over_it(over_db, is_echo):
    """Wherever the echo is, also if it has just jumped there."""
    loud = 0.0 if over_db is None else 10 ** (over_db / 20)
    over = voice_like(12, 13) * loud
    over[: 8 * RATE] = 0
    reader = Reader(voice_like(12, 12), lambda t: 2_000.0 if t < 8 else 4_000.0, over=over)
    reader.delays(1, 8.34)  # the voice over it is at its loudest
    assert is_echo == reader.lag.is_echo()


def test_who_has_heard_nothing_knows_nothing():
    """Nor does it fail."""
    lag = EchoLag()
    assert not lag.is_echo()
    lag.hear(np.zeros(FRAME, np.int16), np.zeros(FRAME, np.int16))
    lag.forget()
    assert not lag.is_echo()
