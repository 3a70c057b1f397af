"""Cut text that comes in pieces into sentences, so that the first can be spoken while the next is being written."""

from __future__ import annotations

import re

_END = re.compile(r"(?:[.!?\u2026]+[\"')\]\u201d\u2019]*\s+)|(?:[\u3002\uff01\uff1f]+)|\n+")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|Prof|vs|etc|e\.g|i\.e|No)|\b[A-Z]|^\s*\d+)\.\s+$")
"""A full stop that ends no sentence: titles, initials, "1. " of a list."""
_LONGEST = 300
"""Characters after which a sentence is cut between words: nobody waits 20 s for the first sound."""


class Sentences:
    """Collect text and give it back sentence by sentence; nothing is lost or added, so the pieces concatenate."""

    def __init__(self) -> None:
        self._text = ""

    def feed(self, text: str) -> list[str]:
        """Take more text; return the sentences that are whole now, with the space behind them."""
        self._text += text
        whole: list[str] = []
        while end := self._end():
            whole.append(self._text[:end])
            self._text = self._text[end:]
        return whole

    def finish(self) -> list[str]:
        """Return the rest, if there is any."""
        rest, self._text = self._text, ""
        return [rest] if rest else []

    def _end(self) -> int:
        """Return where the first whole sentence ends; 0 if none is whole yet."""
        for found in _END.finditer(self._text):
            if found.end() == len(self._text) or found.end() > _LONGEST:
                break  # more space or a closing quote may follow; or the sentence has to be cut before
            if not _ABBREVIATION.search(self._text[: found.end()]):
                return found.end()
        if len(self._text) <= _LONGEST:
            return 0
        cut = max(self._text.rfind(mark, 0, _LONGEST) for mark in (" ", "\t", "\n"))
        return cut + 1 if cut > 0 else _LONGEST
