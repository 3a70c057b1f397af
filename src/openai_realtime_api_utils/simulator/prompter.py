"""Find what a dialogue has to say next: by what was said last, or by what it called for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import SimulatorError
from .engine import Turn
from .scripted import Piece, last_text


@dataclass(frozen=True, eq=False)
class Rule:
    """Be what is answered, and to what."""

    matches: Callable[[str], bool] | None
    """Whether a text is meant; None means the beginning, when there is none yet."""
    responses: Sequence[Sequence[Piece]]
    is_last: bool = False
    """Whether it answers only what no other rule is for."""


class Prompter:
    """Follow a dialogue through one session."""

    def __init__(self, rules: Sequence[Rule], unanswered: list[str]) -> None:
        """Begin a dialogue.

        Args:
            rules: in order; more may be added while it goes on.
            unanswered: takes what no rule was for.
        """
        self._rules = rules
        self._unanswered = unanswered
        self._used: set[Rule] = set()
        self._to_come: deque[Sequence[Piece]] = deque()
        """The responses of the latest rule that were not asked for yet."""

    def answer(self, turn: Turn) -> Sequence[Piece]:
        """Return the next response.

        Raises:
            SimulatorError: the dialogue has none.
        """
        last = turn.items[-1] if turn.items else None
        is_asked_again = last is not None and (last["type"] != "message" or last["role"] == "assistant")
        if is_asked_again and self._to_come:
            return self._to_come.popleft()
        rule = self._rule_for(None if last is None else last_text(turn))
        if rule is None or not any(rule.responses):
            text = last_text(turn)
            self._unanswered.append(text)
            said = f"{text!r}" if last is not None else "a request before anything was said"
            raise SimulatorError(f"The dialogue has no answer to {said}: add one to it.")
        self._used.add(rule)
        self._to_come = deque(rule.responses)
        return self._to_come.popleft()

    def _rule_for(self, text: str | None) -> Rule | None:
        for is_last in (False, True):
            meant = [rule for rule in self._rules if rule.is_last == is_last and _is_meant(rule, text)]
            unused = [rule for rule in meant if rule not in self._used]
            if meant:
                return unused[0] if unused else meant[-1]
        return None


def _is_meant(rule: Rule, text: str | None) -> bool:
    if rule.matches is None:
        return text is None
    return rule.is_last if text is None else rule.matches(text)
