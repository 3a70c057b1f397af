"""What was heard is a beginning of what was said."""

from hypothesis import given, settings
from hypothesis import strategies as st

from openai_realtime_api_utils.state.heard import heard_text

TEXT = "Once upon a time there was a king."
times = st.integers(0, 5000)


@settings(deadline=None)
@given(st.text(max_size=60), times, times)
def test_it_is_a_beginning(text, heard, received):
    """Nothing is heard that was not said."""
    assert text.startswith(heard_text(text, heard, received))


@settings(deadline=None)
@given(st.text(max_size=60), times, times, st.integers(1, 5000))
def test_who_hears_longer_hears_no_less(text, one, other, received):
    """More sound never has fewer letters."""
    shorter, longer = sorted((one, other))
    assert len(heard_text(text, shorter, received)) <= len(heard_text(text, longer, received))


@settings(deadline=None)
@given(st.lists(st.text("abc", min_size=1, max_size=5), min_size=2, max_size=8), times, times)
def test_no_word_is_cut(words, heard, received):
    """It ends where a word ends."""
    said = heard_text(" ".join(words), heard, received).split()
    assert words[: len(said)] == said


def test_half_of_the_sound_is_half_of_the_words():
    """Half of the sound has the words that end in the first half of the letters."""
    assert "Once upon a time" == heard_text(TEXT, 500, 1000)


def test_nothing_heard_is_no_text():
    """Cut at the beginning, nothing was heard, even if the length of the sound is not known."""
    assert "" == heard_text(TEXT, 0, 1000)
    assert "" == heard_text(TEXT, 0, 0)


def test_without_a_length_there_is_no_proportion():
    """Where no sound came over this connection, all of the text stands."""
    assert TEXT == heard_text(TEXT, 700, 0)


def test_text_without_spaces_is_cut_at_a_letter():
    """Chinese has no spaces to cut at."""
    assert "我今天很" == heard_text("我今天很高兴见到你", 500, 1000)
