"""Write a dialogue: what is heard, what is said or called upon it, and when.

::

    dialogue = Dialogue()
    dialogue.on("weather").call("get_weather", city="Paris").then_say("Sunny.")
    dialogue.hear("what is your name").wait(0.5).say("I am the simulator.")
    dialogue.otherwise().say("I do not know that.")
    serve(dialogue.engine)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Self

from ..clock import Clock
from ..errors import SimulatorError
from .engine import Call, Fail, Say
from .prompter import Prompter, Rule
from .scripted import Piece, ScriptedEngine, Wait


class Dialogue:
    """Hold the rules of a dialogue. Rules may be added at any time; engines that run see them."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        """In the order in which they were written."""
        self.lines: list[str | Fail] = []
        """What is heard in each utterance, in order, where nobody really listens."""
        self.unanswered: list[str] = []
        """What was said to the engines that no rule was for."""

    def on(self, pattern: str) -> Answer:
        """Answer what matches a regular expression, searched for without regard to case.

        Of the rules that match, the first that was not used yet answers; once all were used, the last of them again.

        Raises:
            SimulatorError: it is no regular expression.
        """
        try:
            found = re.compile(pattern, re.IGNORECASE).search
        except re.error as error:
            message = f"{pattern!r} is no regular expression ({error}): escape what is meant as it is."
            raise SimulatorError(message) from error
        return self._add(lambda text: found(text) is not None)

    def hear(self, text: str | Fail) -> Answer:
        """Understand the next utterance as this text, and answer it; typed, it is answered too.

        A ``Fail`` is an utterance that cannot be transcribed.
        """
        self.lines.append(text)
        words = _words(text) if isinstance(text, str) else []
        return self._add(lambda said: _words(said) == words)

    def opening(self) -> Answer:
        """Answer when a response is asked for before there is anything in the conversation."""
        return self._add(None)

    def otherwise(self) -> Answer:
        """Answer whatever no other rule is for."""
        return self._add(lambda _: True, is_last=True)

    def engine(self, *, clock: Clock | None = None) -> ScriptedEngine:
        """Make the engine of one session, which begins the dialogue anew.

        Args:
            clock: what it waits on, the system's by default.
        """
        return ScriptedEngine({"": Prompter(self.rules, self.unanswered).answer}, self.lines, clock=clock)

    def _add(self, matches: Callable[[str], bool] | None, *, is_last: bool = False) -> Answer:
        answer = Answer()
        self.rules.append(Rule(matches, answer.responses, is_last=is_last))
        return answer


class Answer:
    """Say what is answered, piece by piece; ``then`` begins the response after this one."""

    def __init__(self) -> None:
        self.responses: list[list[Piece]] = [[]]
        """The first response, and those that are asked for after the output of its functions."""

    def say(self, text: str) -> Self:
        """Say it; before a call of the same response it is commentary."""
        return self._add(Say(text))

    def call(self, name: str, /, **arguments: Any) -> Self:
        """Call a function of the client's.

        Raises:
            SimulatorError: the arguments are no JSON.
        """
        try:
            json.dumps(arguments)
        except (TypeError, ValueError) as error:
            message = f"The arguments {arguments!r} of {name!r} are no JSON ({error}): use texts, numbers and lists."
            raise SimulatorError(message) from error
        so_far = self.responses[-1]
        self.responses[-1] = [Say(piece.text, "commentary") if isinstance(piece, Say) else piece for piece in so_far]
        return self._add(Call(name, arguments))

    def wait(self, seconds: float) -> Self:
        """Let time pass before what comes next.

        Raises:
            SimulatorError: that is less than nothing.
        """
        if not seconds >= 0:
            raise SimulatorError(f"{seconds:g} seconds cannot be waited: give 0 or more.")
        return self._add(Wait(seconds))

    def fail(self, code: str, message: str) -> Self:
        """Fail the response."""
        return self._add(Fail(code, message))

    @property
    def then(self) -> Self:
        """Begin what is answered to the output of the functions, or to being asked again."""
        self.responses.append([])
        return self

    def then_say(self, text: str) -> Self:
        """Say it in the next response."""
        return self.then.say(text)

    def then_call(self, name: str, /, **arguments: Any) -> Self:
        """Call a function in the next response."""
        return self.then.call(name, **arguments)

    def _add(self, piece: Piece) -> Self:
        self.responses[-1].append(piece)
        return self


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
