"""Say which words somebody has heard who heard a part of the sound."""

from __future__ import annotations


def heard_text(text: str, heard: float, received: float) -> str:
    """Return the part of ``text`` that was heard, in proportion, cut before the first word not heard to its end.

    The API does not say when a word is spoken. Speech has no words between which it could be cut better than in
    proportion to its letters; text without spaces is cut at a letter.

    Args:
        text: all that was received.
        heard: how much of its sound was heard, in the same unit as ``received``.
        received: how much sound was received; where that is nothing, there is no proportion, and all of the text is
            returned unless nothing was heard.
    """
    if heard <= 0:
        return ""
    if received <= 0 or heard >= received:
        return text
    end = int(len(text) * heard / received)
    is_inside_word = end < len(text) and not text[end].isspace()
    if is_inside_word and any(letter.isspace() for letter in text.strip()):
        while end > 0 and not text[end - 1].isspace():
            end -= 1
    return text[:end].rstrip()
