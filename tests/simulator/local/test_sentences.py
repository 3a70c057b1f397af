import pytest
from hypothesis import given
from hypothesis import strategies as st

from openai_realtime_api_utils.simulator.local.sentences import Sentences

TEXTS = st.lists(st.sampled_from([*"ab. !?\n\u3002\"')1M", "Dr. ", "word " * 30, "x" * 200])).map("".join)


def cut(pieces) -> list[str]:
    sentences = Sentences()
    return [sentence for piece in pieces for sentence in sentences.feed(piece)] + sentences.finish()


@given(st.lists(TEXTS))
def test_nothing_is_lost_or_added(pieces):
    """The sentences joined are the text."""
    assert "".join(cut(pieces)) == "".join(pieces)


@given(st.lists(TEXTS))
def test_pieces_change_nothing(pieces):
    """The sentences do not depend on how the text comes."""
    assert cut(pieces) == cut("".join(pieces))


@given(TEXTS)
def test_no_piece_is_too_long_to_wait_for(text):
    """No sentence but the last exceeds 300 characters and its space."""
    assert all(len(sentence) <= 301 for sentence in cut([text]))


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One. ", "Two! ", "Three?"]),
        ("It is 3.5 km. Yes.", ["It is 3.5 km. ", "Yes."]),
        ("Dr. Who met J. Smith, i.e. him. Good.", ["Dr. Who met J. Smith, i.e. him. ", "Good."]),
        ('"Stop!" he said. "Why?"', ['"Stop!" ', "he said. ", '"Why?"']),
        ("1. Eggs\n2. Milk\n", ["1. Eggs\n", "2. Milk\n"]),
        ("\u4f60\u597d\u3002\u518d\u89c1\u3002", ["\u4f60\u597d\u3002", "\u518d\u89c1\u3002"]),
        ("", []),
    ],
)
def test_sentences(text, sentences):
    """Sentences end where a reader would pause."""
    assert cut([text]) == sentences
