"""Answer by a few rules, and never claim more than they know."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias, cast

from ..engine import Call, Say, Thought, Turn
from .arithmetic import calculate
from .calendar_words import date_sentence, time_sentence
from .context import Context, context_of
from .matching import says, words_of
from .story import STORY
from .tool_calls import WEATHER, Missing, called_for

GREETING = ("Hello, I am a local stand-in for the real model.", "Ask me for the time, a sum, or a story.")
_ABILITIES = "I can tell you the time and the date, work out a sum, and tell a long story."
_WHO = ("I am a local stand-in: a few rules on this machine, and no model behind them.", _ABILITIES)
_NO_WEATHER = ("I have no way to look up the weather.", "Offer me a function such as get weather, and I will call it.")


Answer: TypeAlias = "Callable[[Context, datetime], Sequence[str]]"


class Rule(NamedTuple):
    """Answer what contains the words of one of the patterns, in their order."""

    patterns: Sequence[str]
    answer: Answer


def _fixed(*sentences: str) -> Answer:
    return lambda _context, _now: sentences


def _time(_context: Context, now: datetime) -> Sequence[str]:
    return [time_sentence(now)]


def _date(_context: Context, now: datetime) -> Sequence[str]:
    return [date_sentence(now)]


def _once_more(context: Context, _now: datetime) -> Sequence[str]:
    return [context.last_answer or "I have said nothing yet."]


RULES: Sequence[Rule] = (
    # "here are you" is what the listener makes of "who are you".
    Rule(("who are you", "who you are", "here are you", "what are you", "your name", "are you real"), _fixed(*_WHO)),
    Rule(("what can you do", "help me", "help"), _fixed(_ABILITIES)),
    Rule(sorted(WEATHER), _fixed(*_NO_WEATHER)),
    Rule(("tell story", "long story", "hear story"), _fixed(*STORY)),
    Rule(("what time", "the time", "time is it", "o'clock"), _time),
    Rule(("what day", "what days", "what date", "the date", "the day", "is today"), _date),
    Rule(("say again", "repeat", "pardon"), _once_more),
    Rule(("bye", "goodbye", "good bye"), _fixed("Goodbye, and thank you for talking to me.")),
    Rule(("thank you", "thanks"), _fixed("You are welcome.")),
    Rule(("stop", "wait", "quiet", "be silent", "enough"), _fixed("All right, I will stop here.")),
    Rule(("hello", "hi", "hey", "good morning", "good evening", "good afternoon"), _fixed(*GREETING)),
)
"""Tried in this order."""


def answer(turn: Turn, now: datetime) -> list[Thought]:
    """Return what the local stand-in says or calls; the same for the same turn and time."""
    context = context_of(turn.items)
    if turn.translate_to is not None:
        return _say([f"I cannot translate into {turn.translate_to}.", f"You said: {context.asked}."])
    if context.outputs:
        return _say([_told(name, output) for name, output in context.outputs])
    wanted = called_for(turn, "" if context.is_answered else context.asked or "", now.date())
    if isinstance(wanted, Call):
        return [wanted]
    if isinstance(wanted, Missing):
        return _say([f"For that I need to know the {' '.join(words_of(wanted.argument))}. Please say it all again."])
    return _say(_words_for(context, now))


def _words_for(context: Context, now: datetime) -> Sequence[str]:
    if context.is_answered:
        return ["I am listening."]
    if context.asked is None:
        return GREETING
    heard = words_of(context.asked)
    if not heard:
        return ["I did not understand any words.", "Could you say it again?"]
    result = calculate(context.asked)
    if result is not None:
        return [result]
    for rule in RULES:
        if any(says(heard, pattern) for pattern in rule.patterns):
            return rule.answer(context, now)
    return [f"I understood: {context.asked.rstrip('.!?')}.", "I have no answer to that.", _ABILITIES]


def _told(name: str, output: str) -> str:
    """Return a function's output as a sentence: objects as "name is value", anything else as it stands."""
    try:
        value = json.loads(output)
    except ValueError:
        value = output
    told = _flat(value).strip().rstrip(".")
    return f"{' '.join(words_of(name)).capitalize()} says: {told}." if told else f"{name} has answered with nothing."


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return ", ".join(f"{' '.join(words_of(key))} is {_flat(each)}" for key, each in pairs)
    if isinstance(value, list):
        return ", ".join(map(_flat, cast("list[Any]", value)))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None else str(value)


def _say(sentences: Sequence[str]) -> list[Thought]:
    """Return one piece per sentence; joined they read as one text."""
    return [*(Say(f"{sentence} ") for sentence in sentences[:-1]), Say(sentences[-1])]
