"""Find expected words in what was heard, which a listener writes only nearly right."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

_LIKENESS = 0.8
"""At least this alike (``difflib``'s ratio) are "weather" and "whether", and not "hello" and "yellow"."""
_SHORT = 4
"""Words up to this long are too easily alike: they must be the same."""


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case, without punctuation; signs and digits stay."""
    return re.findall(r"[\w']+", text.lower().replace("_", " "))


def is_like(heard: str, expected: str) -> bool:
    """Tell whether a heard word may be the expected one."""
    if heard == expected:
        return True
    if min(len(heard), len(expected)) <= _SHORT:
        return False
    return SequenceMatcher(None, heard, expected).ratio() >= _LIKENESS


def says(heard: Sequence[str], pattern: str) -> bool:
    """Tell whether the words of a pattern occur in this order, with anything between them."""
    at = iter(heard)
    return all(any(is_like(word, expected) for word in at) for expected in pattern.split())
