"""Guess from the words whether somebody has finished: a stand-in for the model behind semantic turn detection."""

from __future__ import annotations

import re

LONGEST_MS = {"low": 8000, "medium": 4000, "auto": 4000, "high": 2000}
"""How long semantic turn detection waits for a user who seems to go on, by eagerness (API reference)."""
SHORTEST_MS = {"low": 1200, "medium": 600, "auto": 600, "high": 300}
"""How long it waits for one who seems to have finished (a guess)."""

_TRAILING = """
a about after also am an and are as at because been before but by can could did do does either er erm for from
had has have he hmm i if in into is it's its let like may maybe might mm must my of on or our she should since
so than the their then they those though through to uh uhh uhm um umm until very was we well were which while
whose will with would your
"""
"""Words after which English goes on."""
_GOES_ON = frozenset(_TRAILING.split())
_WORD = re.compile(r"[\w']+")
_OPEN_END = (",", ":", ";", "-", "\N{EN DASH}", "\N{EM DASH}", "...", "\N{HORIZONTAL ELLIPSIS}")


def sounds_finished(said: str) -> bool:
    """Say whether what was said so far sounds like the end of a turn; nothing understood does not."""
    text = said.strip()
    words = _WORD.findall(text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    return bool(words) and not text.endswith(_OPEN_END) and words[-1] not in _GOES_ON
