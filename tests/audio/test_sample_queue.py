"""Sound between one who reads and one who sends."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.audio.sample_queue import SampleQueue


def sound(n, start=0):
    return np.arange(start, start + n).astype(np.int16)


def test_what_piled_up_is_merged():
    """One piece for the sender, in order."""
    queue = SampleQueue(100)
    queue.put(sound(3))
    queue.put(sound(4, 3))
    taken = queue.take_samples(1)
    assert [0, 1, 2, 3, 4, 5, 6] == taken.tolist()
    assert queue.take_samples(1) is None


def test_too_little_waits_for_more():
    """Until a mark says that nothing more comes before it."""
    queue = SampleQueue(100)
    queue.put(sound(3))
    before = queue.take_samples(5)
    queue.mark("end")
    queue.put(sound(3, 9))
    assert (None, None, [0, 1, 2], "end") == (
        before,
        queue.take_mark(),
        queue.take_samples(5).tolist(),
        queue.take_mark(),
    )


def test_the_oldest_is_dropped_and_counted():
    """Marks never are."""
    queue = SampleQueue(5)
    queue.put(sound(4))
    queue.mark("end")
    queue.put(sound(4, 4))
    assert (3, [3], "end", [4, 5, 6, 7]) == (
        queue.lost,
        queue.take_samples(1).tolist(),
        queue.take_mark(),
        queue.take_samples(1).tolist(),
    )


def test_a_mark_behind_dropped_sound_is_found():
    """Sound that was dropped to nothing is not in the way."""
    queue = SampleQueue(2)
    queue.put(sound(2))
    queue.mark("end")
    queue.put(sound(2))
    assert (None, "end", 2) == (queue.take_samples(1), queue.take_mark(), queue.lost)


parts = st.lists(st.one_of(st.integers(0, 40), st.sampled_from(["mark", "take"])), max_size=30)


@given(parts, st.integers(0, 60), st.integers(1, 30))
def test_what_is_not_taken_is_counted_as_lost(script, limit, least):
    """Taken, lost and waiting are what was put; what waits is bounded; order stays."""
    queue, put, taken, marks = SampleQueue(limit), 0, [], 0
    for step in script:
        if step == "mark":
            queue.mark("m")
            marks += 1
        elif step == "take":
            got = queue.take_samples(least)
            taken += [] if got is None else got.tolist()
            marks -= queue.take_mark() is not None
        else:
            queue.put(sound(step, put))
            put += step
    waiting = queue._waiting
    assert waiting <= limit
    while True:
        got = queue.take_samples(1)
        if got is not None:
            taken += got.tolist()
        elif queue.take_mark() is not None:
            marks -= 1
        else:
            break
    assert (put, 0) == (len(taken) + queue.lost, marks)
    assert sorted(set(taken)) == taken
