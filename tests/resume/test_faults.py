"""Every fault of the simulator, at every point of a turn: nothing complete is lost, nothing is there twice.

The cases are made: from what a conversation without faults looks like, of each type of event the first three, and the
moment before each of them and after it. A sample, drawn from a seed, runs in the suite; ``FAULTS=all`` in the
environment runs every one. ``PYTHONPATH=tests python tests/resume/test_faults.py > docs/resume-faults.md`` writes down
what came of them; with ``--all`` it counts all that hold, and names those that do not.
"""

import logging
import os
import random
import sys
from collections import Counter
from datetime import UTC, datetime
from functools import cache

import pytest

from exchange import texts
from openai_realtime_api_utils.simulator import Faults
from openai_realtime_api_utils.state.restore import UNTRANSCRIBED
from swept import ANSWERS, QUESTIONS, hold

CODES = (1000, 1001, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 1013, 1014, 3000, 4000)
FINAL = {"1000", "1008", "3000", "401"}
"""After these the program is told, and the next one goes on from the store."""
BAD_LINE = {"latency_s": 0.2, "jitter_s": 0.1, "reorder": 0.5}
AT_A_MOMENT = {
    **{str(code): lambda at, code=code: [Faults(close_at=(at, code))] for code in CODES},
    "stall 3 s": lambda at: [Faults(stall=(at, 3))],
    "stall 60 s": lambda at: [Faults(stall=(at, 60))],
    "half-open": lambda at: [Faults(half_open_at=at)],
    "503, 503": lambda at: [Faults(close_at=(at, 1006)), *[Faults(refuse_handshake=503)] * 2],
    "401": lambda at: [Faults(close_at=(at, 1006)), Faults(refuse_handshake=401)],
    "again": lambda at: [Faults(close_at=(at, 1006)), Faults(close_at=("session.updated", 1011))],
    "bad line": lambda at: [Faults(close_at=(at, 1006), **BAD_LINE), Faults(**BAD_LINE)],
    "slow server": lambda at: [Faults(close_at=(at, 1006), slow_read=0.01)],
}
"""What breaks the connection when an event has come."""
OF_AN_EVENT = {
    "lost": lambda event: [Faults(drop={event: 1})],
    "doubled": lambda event: [Faults(duplicate={event: 1})],
}
"""What becomes of one event, and nobody is told."""
OF_THE_MODEL = {
    "fails": lambda n: [Faults(fail_response=n)],
    "rate limit": lambda n: [Faults(rate_limit=n)],
    "starts over": lambda n: [Faults(start_over=n)],
}
"""What becomes of one response, counted from 1."""
OF_THE_LINE = {
    "latency": lambda seed: [Faults(seed=seed, latency_s=(0.4, 0.2))] * 3,
    "jitter": lambda seed: [Faults(seed=seed, jitter_s=0.5)] * 3,
    "reorder": lambda seed: [Faults(seed=seed, reorder=0.7)] * 3,
    "slow reading": lambda seed: [Faults(seed=seed, slow_read=0.015)] * 3,
    "drop": lambda seed: [Faults(seed=seed, drop=0.2)] * 3,
    "duplicate": lambda seed: [Faults(seed=seed, duplicate=0.3)] * 3,
}
"""What is wrong all the time; the seed decides which frames it is."""
KINDS = {**AT_A_MOMENT, **OF_AN_EVENT, **OF_THE_MODEL, **OF_THE_LINE}
OCCURRENCES, SEEDS = 3, 5
PAGE = """\
# Every fault, at every point of a turn

What came of three turns, one with a function, when something went wrong just before the first event of a type / just
after it (one word where both came to the same); see [resume](resume.md). `PYTHONPATH=tests python
tests/resume/test_faults.py` prints this page; this is the run of {date}.

* **held**: no completed item is lost, none is there twice, no call ran twice, the model was given all of it in its
  order, and every question has its answer, in the same program.
* **told**: the end is one that means "do not come back" (or is in good order): the program is told, and another one
  goes on from the store.
* **asked again**: the person had to repeat a question: it had not been committed (speech, while there was no
  connection), its program had ended, the answer that was asked for again was lost as well (`again`), or nobody could
  know (a request lost without a trace; a response that the server failed).

Columns: closes by code; silences of 3 and 60 seconds; a connection that is open but dead; a loss after which the server
refuses with 503 twice, or with 401; a second loss as soon as the first is mended (`again`); a loss on a line that is
slow and shuffles what may be shuffled; a loss at a server that reads slowly; the event itself lost, and doubled. Below
each: responses that fail or begin anew (each of four), and lines that are bad all the time (five seeds each).
"""
VOICES = {"text": False, "speech": True}


@cache
def events_of(voice):
    """Return the events of a conversation without faults, numbered by type: the server's, and the client's."""
    _, talk, _ = hold([], by_voice=VOICES[voice])
    found = []
    for told in (talk.exchange.sent[0], talk.exchange.received[0]):
        counts = Counter()
        names = []
        for event in told:
            counts[event["type"]] += 1
            names.append(f"{event['type']}#{counts[event['type']]}")
        found.append(names)
    return found


def points(voice, occurrences=OCCURRENCES):
    """Return the events that things happen at: the first of each type."""
    return [n for names in events_of(voice) for n in names if int(n.partition("#")[2]) <= occurrences]


def before(voice, event):
    """Return the server's event that comes just before another; None before the first, and for the client's."""
    server, _ = events_of(voice)
    index = server.index(event) if event in server else 0
    return server[index - 1] if index else None


def cases():
    """Return all: (voice, kind, where)."""
    for voice in VOICES:
        at = points(voice)
        moments = list(dict.fromkeys([*at, *(m for event in at if (m := before(voice, event)) is not None)]))
        for kinds, places in (
            (AT_A_MOMENT, moments),
            (OF_AN_EVENT, at),
            (OF_THE_MODEL, [1, 2, 3, 4]),
            (OF_THE_LINE, range(SEEDS)),
        ):
            yield from ((voice, kind, where) for kind in kinds for where in places)


def sample():
    """Return the cases that are run: of each kind two in the suite."""
    everything = list(cases())
    if os.environ.get("FAULTS") == "all":
        return everything
    chance = random.Random(7)
    return [case for kind in KINDS for case in chance.sample([c for c in everything if c[1] == kind], 2)]


def check(case):
    """Hold a conversation through a fault, and what came of it against what must be; say how it went."""
    voice, kind, where = case
    held, talk, turn = hold(KINDS[kind](where), by_voice=VOICES[voice])
    check_items(held, talk.conversation.items)
    check_calls(held, talk.conversation.items, may_lack_output=kind == "lost" and "item.create" in str(where))
    if kind != "starts over":  # where the simulator itself says again what the model said
        check_given(held, talk.conversation.items, turn)
    again = len(held.asked) - len(QUESTIONS)
    assert held.lives <= (2 if kind in FINAL else 1)
    if kind in AT_A_MOMENT and kind not in FINAL:
        assert len(set(held.runs)) == 1, "a function ran again"
        assert not talk.conversation.open_responses
        if kind != "again":  # an answer is asked for again once, and that was lost, too
            assert not held.asked_though_known, "a question that was known had no answer"
            assert voice == "speech" or not again, "what was sent was lost"
    return f"{'told' if held.lives > 1 else 'held'}{', asked again' if again else ''}"


def check_items(held, items):
    """Nothing complete is lost, nothing is there twice, and the last turn worked."""
    ids = [item.id for item in items]
    assert len(ids) == len(set(ids)), "an item is there twice"
    assert not (lost := held.done.keys() - set(ids)), f"lost: {[held.done[i] for i in lost]}"
    *_, last = (item for item in items if item.role == "assistant")
    assert last.text.startswith(ANSWERS[-1]), "the last turn did not work"
    said = Counter(item.text.removesuffix(UNTRANSCRIBED).strip() for item in items if item.role == "user")
    assert all(any(q.startswith(words) for q in QUESTIONS) for words in said), f"nobody said that: {said}"
    assert all(said[q] <= held.asked.count(q) for q in QUESTIONS), f"a question is there twice: {said}"


def check_calls(held, items, *, may_lack_output):
    """Each call ran once at most, and has one output."""
    calls = [item.call_id for item in items if item.type == "function_call"]
    outputs = [item.call_id for item in items if item.type == "function_call_output"]
    assert len(held.runs) == len(set(held.runs)), "a function ran twice for one call"
    assert len(calls) == len(set(calls)), "a call is there twice"
    assert len(outputs) == len(set(outputs)), "an output is there twice"
    assert set(calls) == set(outputs) or may_lack_output, "a call has no output"


def check_given(held, items, turn):
    """The model of the last turn was given all that was complete, in its order and in its words."""
    given = {item["id"]: item for item in turn.items}
    answer = items[-1].id
    assert [item.id for item in items if item.id in given] == list(given), "the model has another order"
    assert not (held.done.keys() - given.keys() - {answer}), "the model was not given all"
    for item in items:
        if item.id in given and item.role is not None and item.id in held.done:
            (told,) = texts([given[item.id]]) or [""]
            words = item.text.strip()  # fewer than the model has heard, where the rest of the transcript was lost
            is_same = told.strip().startswith(words) if item.role == "user" else words.startswith(told.strip())
            assert is_same or not told, f"the model was given other words: {told!r} for {item.text!r}"


@pytest.mark.parametrize("case", sample(), ids=lambda case: "-".join(map(str, case)))
def test_a_fault(case):
    """No completed item is lost, none repeated, no tool runs twice, and the next turn works."""
    check(case)


def outcome(case) -> str:
    """Return what came of a case, in a word."""
    try:
        return check(case)
    except AssertionError as error:
        return f"LOST ({str(error).splitlines()[0]})"


def table(voice) -> str:
    """Return what came of every fault, just before the first event of each type and after it, in Markdown."""
    kinds = [*AT_A_MOMENT, *OF_AN_EVENT]
    lines = ["| at the first | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for event in points(voice, occurrences=1):
        ahead = before(voice, event)
        cells = []
        for kind in kinds:
            places = [event] if kind in OF_AN_EVENT or ahead is None else [ahead, event]
            cells.append(" / ".join(dict.fromkeys(outcome((voice, kind, place)) for place in places)))
        lines.append(f"| `{event.partition('#')[0]}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rest_of_table(voice) -> str:
    """Return what came of the faults that have no moment."""
    lines = ["| fault | what came of it |", "|---|---|"]
    for kinds, places in ((OF_THE_MODEL, (1, 2, 3, 4)), (OF_THE_LINE, range(SEEDS))):
        for kind in kinds:
            came = Counter(outcome((voice, kind, place)) for place in places)
            lines.append(f"| {kind} | {', '.join(f'{count} {word}' for word, count in came.items())} |")
    return "\n".join(lines)


if __name__ == "__main__":
    logging.disable(logging.ERROR)  # faults are what is asked for
    if sys.argv[1:] == ["--all"]:
        came = {case: outcome(case) for case in cases()}
        counts = Counter((case[0], word.partition(" (")[0]) for case, word in came.items())
        bad = [f"{case}: {word}" for case, word in came.items() if word.startswith("LOST")]
        sys.stdout.write("\n".join([*bad, *map(str, counts.items())]) + "\n")
    else:
        tables = (f"\n## By {voice}\n\n{table(voice)}\n\n{rest_of_table(voice)}\n" for voice in VOICES)
        sys.stdout.write(PAGE.format(date=f"{datetime.now(UTC):%-d %B %Y}") + "".join(tables))
