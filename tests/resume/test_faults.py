"""Every way to lose a connection, at every point of a turn: nothing complete is lost, nothing is there twice.

The cases are made from a seed. A sample runs in the suite; ``FAULTS=all`` in the environment runs every one.
``python tests/resume/test_faults.py`` prints the table of points and faults with what came of them.
"""

import itertools
import os
import random
import sys

import pytest

from exchange import Exchange, texts
from openai_realtime_api_utils import ManualClock
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.middlewares import CallTools
from openai_realtime_api_utils.simulator import Call, ScriptedEngine
from talking import Talk

POINTS = [
    "session.created",
    "session.updated",
    "conversation.item.added",
    "conversation.item.done",
    "response.created",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
    "response.done",
    "rate_limits.updated",
]
FAULTS = {
    "1001": 1001,
    "1005": 1005,
    "1006": 1006,
    "1011": 1011,
    "1012": 1012,
    "1013": 1013,
    "4000": 4000,
    "stall": 0,
    "refused": 1006,
}
OCCURRENCES = (1, 2, 3)
SIDES = ("before", "after")
ALL = list(itertools.product(POINTS, FAULTS, OCCURRENCES, SIDES))
SAMPLE = ALL if os.environ.get("FAULTS") == "all" else random.Random(7).sample(ALL, 24)
QUESTIONS = ["What is the weather?", "Thank you.", "Goodbye."]


class Breaks:
    """Break the connection once: at the n'th event of a type, before it is read or after."""

    def __init__(self, point, fault, occurrence, side):
        self.point, self.fault, self.left, self.side = point, fault, occurrence, side
        self.is_due = self.is_done = False
        self.exchange = None

    def cut(self, event):
        if self.is_done:
            return None
        is_here = event["type"] == self.point
        if is_here:
            self.left -= 1
        if self.is_due or (is_here and self.left == 0 and self.side == "before"):
            return self._break()
        if is_here and self.left == 0:
            self.is_due = True  # the next one never comes
        return None

    def _break(self):
        self.is_done = True
        if self.fault == "refused":
            self.exchange.refusals = [ConnectionRefusedError("down"), TimeoutError("slow")]
        if self.fault == "stall":
            self.exchange.stalled = len(self.exchange.opened)
            return None
        return FAULTS[self.fault]


def conversation_with(point, fault, occurrence, side):
    """Hold three turns, one with a function, through a fault; return what to check."""
    clock = ManualClock()
    runs = []

    def reply(turn):
        last = [item for item in turn.items if item.get("role") != "assistant"][-1]  # it may have been heard in part
        if last["type"] == "function_call_output":
            return f"It is {last['output']}."
        asked = texts([last])[0]
        return Call("weather", {"city": "Paris"}) if "weather" in asked else f"You said: {asked}"

    async def weather(city: str) -> str:
        """Tell the weather."""
        runs.append(city)
        return "sunny"

    breaks = Breaks(point, fault, occurrence, side)
    exchange = Exchange(ScriptedEngine(replies={"": reply}, clock=clock), clock, cut=breaks.cut)
    breaks.exchange = exchange
    talk = Talk(exchange, clock)
    tools = CallTools([weather], track_conversation=talk.conversation, clock=clock)

    async def program():
        async with talk.held(tools, dead_after_s=8):
            session = {"type": "realtime", "output_modalities": ["text"], "instructions": "Be brief."}
            await talk.send({"type": "session.update", "session": session})
            for question in QUESTIONS:
                await talk.turn(question)
                await talk.wait(30)
            return breaks.is_done, exchange.engine.turns[-1]

    was_hit, turn = fast_forward.run(program(), clock)
    return was_hit, talk, turn, runs


def check(case):
    """Hold a conversation through a fault, and what came of it against what must be; tell whether it was hit."""
    was_hit, talk, turn, runs = conversation_with(*case)
    ids = [item.id for item in talk.conversation.items]
    told = [item.text for item in talk.conversation.items if item.type == "message"]
    said = [text for text in told if text in QUESTIONS]
    assert len(ids) == len(set(ids))
    assert said == QUESTIONS
    assert runs == ["Paris"]
    for answer in ("It is sunny.", "You said: Thank you.", "You said: Goodbye."):
        whole = [i for i in talk.conversation.items if i.text == answer and i.status == "completed"]
        assert len(whole) <= 1, told  # the words of a lost one may be all there, though nobody could know
        assert answer in told
    assert told[-1] == "You said: Goodbye."
    assert [text for text in texts(turn.items) if text in QUESTIONS] == QUESTIONS
    given = [item["id"] for item in turn.items]
    assert [item_id for item_id in ids if item_id in given] == given
    assert talk.conversation.open_responses == {}
    assert turn.instructions == "Be brief."
    return was_hit


@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: "-".join(map(str, case)))
def test_a_fault(case):
    """No completed item is lost, none repeated, no tool runs twice, and the next turn works."""
    check(case)


def outcome(case) -> str:
    """Return what came of a case, in a word."""
    try:
        return "held" if check(case) else "not reached"
    except AssertionError:
        return "LOST"


def table() -> str:
    """Return every point and fault with what came of it, before the first such event and after it, in Markdown."""
    lines = ["| the connection breaks at | " + " | ".join(FAULTS) + " |", "|---" * (len(FAULTS) + 1) + "|"]
    for point in POINTS:
        cells = [" / ".join(outcome((point, fault, 1, side)) for side in SIDES) for fault in FAULTS]
        lines.append(f"| `{point}` | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
