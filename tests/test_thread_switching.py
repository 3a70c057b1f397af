"""The interpreter switches threads as often as the most demanding of those who ask needs it."""

import sys

from openai_realtime_api_utils.thread_switching import ThreadSwitching


def test_the_least_counts_and_at_the_end_all_is_as_it_was():
    """In whatever order they come and go; who asks for more than there is changes nothing."""
    switching, seen, before = ThreadSwitching(), [], sys.getswitchinterval()
    blocks = [switching.at_most(seconds) for seconds in (0.002, 0.001, before * 2)]
    for block in blocks:
        block.__enter__()
        seen.append(round(sys.getswitchinterval(), 6))
    for block in blocks:
        block.__exit__(None, None, None)
        seen.append(round(sys.getswitchinterval(), 6))
    assert seen == [0.002, 0.001, 0.001, 0.001, round(before, 6), round(before, 6)]
    assert sys.getswitchinterval() == before
