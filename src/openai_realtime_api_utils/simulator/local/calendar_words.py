"""Tell the time and the date as they are spoken."""

from __future__ import annotations

from datetime import datetime

from .number_words import ordinal_for, words_for, year_for

# fmt: off
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
]
# fmt: on
_PARTS_OF_DAY = ((5, "at night"), (12, "in the morning"), (18, "in the afternoon"), (22, "in the evening"))


def time_sentence(now: datetime) -> str:
    """Return, say, "It is nine fourteen in the morning."."""
    hour = words_for((now.hour - 1) % 12 + 1)
    if now.minute == 0:
        minute = "o'clock"
    else:
        minute = f"oh {words_for(now.minute)}" if now.minute < 10 else words_for(now.minute)
    part = next((part for until, part in _PARTS_OF_DAY if now.hour < until), "at night")
    return f"It is {hour} {minute} {part}."


def date_sentence(now: datetime) -> str:
    """Return, say, "Today is Friday, the twentieth of November, twenty twenty-six."."""
    day = f"{_DAYS[now.weekday()]}, the {ordinal_for(now.day)} of {_MONTHS[now.month - 1]}"
    return f"Today is {day}, {year_for(now.year)}."
