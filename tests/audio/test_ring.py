"""A circle of memory that is used by positions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.audio.ring import Ring


def ring(size=64):
    return Ring(np.zeros(size, np.float32))


@given(st.integers(0, 10_000), st.lists(st.integers(-32_768, 32_767), max_size=64))
def test_what_was_written_is_read(position, samples):
    """Anywhere, across the seam or not, exactly."""
    tape = ring()
    tape.write(position, np.array(samples, np.int16))
    assert samples == tape.read(position, len(samples)).tolist()


@given(st.integers(0, 1_000), st.integers(0, 64))
def test_silence_is_as_long_as_it_says(position, length):
    """And no longer."""
    tape = ring()
    tape.write(0, np.full(64, 100, np.int16))
    tape.silence(position, length)
    assert 64 - length == np.count_nonzero(tape.memory)
    assert 0 == np.count_nonzero(tape.read(position, length))


def test_more_silence_than_there_is_memory_is_all_of_it():
    """A stall of a minute does no harm."""
    tape = ring()
    tape.write(0, np.full(64, 100, np.int16))
    tape.silence(5, 1_000)
    assert 0 == np.count_nonzero(tape.memory)


@given(st.integers(0, 1_000))
def test_a_fade_falls_and_leaves_the_rest(position):
    """Across the seam, too."""
    tape = ring()
    tape.write(0, np.full(64, 30_000, np.int16))
    tape.fade_out(position, 20)
    faded = tape.read(position, 20).astype(int)
    assert (np.diff(faded) < 0).all()
    assert [30_000] * 44 == tape.read(position + 20, 44).tolist()
