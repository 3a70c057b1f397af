"""Sound is kept within a bound."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime_api_utils.audio.formats import PCM_24K
from openai_realtime_api_utils.state.kept_audio import KeptAudio


@settings(deadline=None)
@given(st.lists(st.integers(0, 20), max_size=30))
def test_it_is_the_end_of_what_came(tenths):
    """What is kept is at most so long, ends with the last sound, and loses no more than one chunk too many."""
    kept, whole = KeptAudio(3.0), b""
    for number, n in enumerate(tenths):
        chunk = bytes([number]) * (n * 4800)
        whole += chunk
        kept.add("A", chunk, PCM_24K)
    assert whole.endswith(kept.of("A"))
    assert len(kept.of("A")) <= 3 * 48_000
    assert len(kept.of("A")) >= min(len(whole), 48_000)


def test_items_are_told_apart():
    """Each item has its own sound."""
    kept = KeptAudio(1)
    kept.add("A", b"aa", PCM_24K)
    kept.add("B", b"bb", PCM_24K)
    kept.add("A", b"AA", PCM_24K)
    assert (b"aaAA", b"bb", b"") == (kept.of("A"), kept.of("B"), kept.of("C"))


def test_less_than_nothing_is_refused():
    """A negative bound is told with its value."""
    with pytest.raises(ValueError, match="keep_audio_s is -1"):
        KeptAudio(-1)
