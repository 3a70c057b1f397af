"""Hold the simulator against recorded sessions, event by event, and write down what agrees.

    python -m tools.fidelity <folder of recordings>     # renews the table in docs/simulator.md

A recording's client events are sent to the simulator, whose scripted engine says what the recording's model said; sound
that the recorder cut away is replaced by shipped speech at the recording's own times. The two streams of server events
are then compared whole: order, fields, values, and which id stands where.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai_realtime_api_utils.clock import ManualClock
from openai_realtime_api_utils.errors import SimulatorError
from openai_realtime_api_utils.host import fast_forward
from openai_realtime_api_utils.simulator.yaml_reading import read_yaml
from tools.fidelity_replay import OPEN, Event, Labels, Replay

PAGE = Path(__file__).parents[1] / "docs" / "simulator.md"
BEGIN, END = "<!-- fidelity: begin -->", "<!-- fidelity: end -->"

TRANSCRIPTION = "conversation.item.input_audio_transcription."
TOLERANCE_MS = 200
"""Two voice detectors agree no better on where speech begins and ends."""

INEXACT = {"audio_start_ms", "audio_end_ms"}
ANY_VALUE = {"event_id", "delta", "obfuscation", "expires_at", "usage", "rate_limits", "instructions", *INEXACT}
"""Fields of which only the kind is compared: ids of events, how text is cut up, padding, times, counts of tokens."""
ALLOWED = {
    "response.content_part.added: content is missing": "Azure says the part twice",
    "response.content_part.done: content is missing": "Azure says the part twice",
}
"""Differences that stay, and why."""


@dataclass
class Outcome:
    """Be what came of one recording."""

    name: str
    events: int
    """Server events in the recording."""
    differences: list[str]
    turn_ms: list[int]
    """How far the simulator's turns begin and end from the recorded ones."""


def recorded(path: Path) -> list[tuple[str, Event]]:
    """Return direction and event of each message; none where the file holds another kind of recording."""
    interactions = read_yaml(path).fields().get("interactions")
    messages = interactions.value if interactions else []
    return [(m["direction"], m["data"]) for m in messages if m.get("kind", "message") == "message" and "data" in m]


def compare(path: Path) -> Outcome | None:
    """Replay a recording and compare; None if it is not of a socket."""
    messages = recorded(path)
    if not messages:
        return None
    expected = [event for direction, event in messages if direction == "received"]
    clock = ManualClock()
    answered = fast_forward.run(Replay(path, messages, clock).run(), clock)
    differences = [*order_differences(expected, answered), *transcription_differences(expected, answered)]
    turn_ms = [a[key] - e[key] for e, a in paired(expected, answered) for key in e if key in INEXACT and key in a]
    differences += [f"a turn is {ms} ms off" for ms in turn_ms if abs(ms) > TOLERANCE_MS]
    differences += limit_differences(expected, answered)
    return Outcome(path.stem, len(expected), differences, turn_ms)


def limit_differences(expected: list[Event], answered: list[Event]) -> list[str]:
    """Compare the rate limits, where both have some."""
    of_both = ([e for e in events if e["type"] == "rate_limits.updated"] for events in (expected, answered))
    pairs = zip(*of_both, strict=False)
    return [difference for e, a in pairs for difference in value_differences(e, a, "rate_limits.updated: ")]


def paired(expected: list[Event], answered: list[Event]) -> list[tuple[Event, Event]]:
    """Return the events about the user's turns that stand at the same place."""
    turns = [[e for e in events if INEXACT & e.keys()] for events in (expected, answered)]
    return [(e, a) for e, a in zip(*turns, strict=False) if e["type"] == a["type"]]


def order_differences(expected: list[Event], answered: list[Event]) -> list[str]:
    """Compare all but the transcription of input, whose place among the others is open."""
    lines = [main_line(events) for events in (expected, answered)]
    lines[1] = lines[1][: len(lines[0])]  # a recording may end before the service has said all
    types = [[event["type"] for event in line] for line in lines]
    if types[0] != types[1]:
        place = next((i for i, (e, a) in enumerate(zip(*types, strict=False)) if e != a), min(map(len, types)))
        found = types[1][place] if place < len(types[1]) else "nothing"
        missing = types[0][place] if place < len(types[0]) else "nothing"
        return [f"after {place} events {missing} was recorded, {found} came"]
    return [difference for e, a in zip(*lines, strict=True) for difference in value_differences(e, a, f"{e['type']}: ")]


def main_line(events: list[Event]) -> list[Event]:
    """Return the events with their ids as places, and of each run of deltas the first of either kind."""
    label = Labels()
    line: list[Event] = []
    in_run: set[str] = set()
    for event in events:
        shown = label.shown(event)
        kind = event["type"]
        if kind.startswith(TRANSCRIPTION) or kind in OPEN:
            continue
        if not kind.endswith(".delta"):
            in_run.clear()
        elif kind in in_run:
            continue
        else:
            in_run.add(kind)
        line.append(shown)
    return line


def value_differences(expected: Any, answered: Any, where: str, name: str = "") -> list[str]:
    """Compare two values with all that is in them."""
    if name in ANY_VALUE:
        expected, answered = kinds(expected), kinds(answered)
    if name == "arguments" and isinstance(expected, str) and expected and answered:
        expected, answered = json.loads(expected), json.loads(answered)
    if isinstance(expected, dict) and isinstance(answered, dict):
        odd = sorted(expected.keys() ^ answered.keys())
        found = [f"{where}{key} is {'missing' if key in expected else 'not in the recording'}" for key in odd]
        for key in (key for key in expected if key in answered):
            found += value_differences(expected[key], answered[key], f"{where}{key}.", key)
        return found
    if isinstance(expected, list) and isinstance(answered, list) and len(expected) == len(answered):
        return [d for e, a in zip(expected, answered, strict=True) for d in value_differences(e, a, where)]
    return [] if expected == answered else [f"{where[:-1]} was {expected!r}, but {answered!r} came"]


def kinds(value: Any) -> Any:
    """Return the kind of a value; of what holds others, theirs."""
    if isinstance(value, dict):
        return {k: kinds(v) for k, v in value.items()}
    return "a number" if isinstance(value, int | float) else type(value).__name__


def transcription_differences(expected: list[Event], answered: list[Event]) -> list[str]:
    """Compare the transcription of each utterance: types in order, fields, and the words."""
    lines = []
    for events in (expected, answered):
        label = Labels()
        shown = [label.shown(event) for event in events]
        line: dict[tuple[str, str], Event] = {}
        for event in (each for each in shown if each["type"].startswith(TRANSCRIPTION)):
            known = line.setdefault((event["item_id"], event["type"]), event)
            if known is not event:
                known["delta"] += event["delta"]
        lines.append(line)
    if list(lines[0]) != list(lines[1]):
        return [f"transcription: {list(lines[0])} was recorded, {list(lines[1])} came"]
    found = [d for key, event in lines[0].items() for d in value_differences(event, lines[1][key], f"{key[1]}: ")]
    for line in lines:
        for (item_id, kind), event in line.items():
            whole = line.get((item_id, f"{TRANSCRIPTION}completed"))
            if kind.endswith("delta") and whole and event["delta"].strip() != whole["transcript"].strip():
                found.append(f"transcription: the deltas say {event['delta']!r}")
    return found


def table(outcomes: list[Outcome]) -> str:
    """Return the table in Markdown."""
    rows = ["| recording | server events | what differs | turns begin and end |", "|---|---|---|---|"]
    for outcome in outcomes:
        off = max((abs(ms) for ms in outcome.turn_ms), default=None)
        turns = "no speech" if off is None else f"within {off} ms"
        told = [f"{each} ({ALLOWED[each]})" if each in ALLOWED else each for each in outcome.differences]
        rows.append(f"| {outcome.name} | {outcome.events} | {'; '.join(told) or 'nothing'} | {turns} |")
    return "\n".join(rows)


def outcomes_of(folder: Path) -> list[Outcome]:
    """Compare every recording of a socket in a folder."""
    return [outcome for path in sorted(folder.glob("*.yaml")) if (outcome := compare(path)) is not None]


def page_with(table_: str, page: str) -> str:
    """Return the page with the table renewed."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table_}\n{END}{after}"


def main() -> None:
    """Renew the table, and print it."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        raise SystemExit("Name the folder of recorded sessions: python -m tools.fidelity <folder>")
    try:
        outcomes = outcomes_of(Path(sys.argv[1]))
    except SimulatorError as error:
        raise SystemExit(str(error)) from error
    renewed = table(outcomes)
    PAGE.write_text(page_with(renewed, PAGE.read_text()))
    print(renewed)


if __name__ == "__main__":
    main()
