"""Read a scenario from a file: a dialogue that somebody wrote, or a session that somebody recorded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from ..clock import Clock
from ..errors import SimulatorError
from .engine import Fail
from .recorded_scenario import RecordedScenario
from .scenario import Answer, Dialogue
from .scripted import ScriptedEngine
from .yaml_reading import Place, read_yaml

_TRIGGERS = ("on", "heard", "opening", "otherwise")
_PIECES = ("say", "call", "wait", "fail", "then")


class Scenario(Protocol):
    """Make engines that all play the same session."""

    def engine(self, *, clock: Clock | None = None) -> ScriptedEngine:
        """Make the engine of one session, which begins the scenario anew."""
        ...


def load_scenario(path: str | Path) -> Scenario:
    """Read a scenario: a file with a ``dialogue``, or one with the ``interactions`` of a recorded session.

    Raises:
        SimulatorError: the file cannot be used; the message names file, line and value, and what to do.
        MissingExtraError: PyYAML is not installed.
    """
    whole = read_yaml(Path(path))
    fields = whole.fields()
    if "interactions" in fields:
        return _recorded(whole.file, fields["interactions"])
    if "dialogue" not in fields:
        whole.wrong("there is neither a 'dialogue' nor the 'interactions' of a recorded session: write one.")
    whole.fields(("dialogue",))
    dialogue = Dialogue()
    for entry in fields["dialogue"].items():
        _add_entry(dialogue, entry)
    return dialogue


def _recorded(file: str, interactions: Place) -> RecordedScenario:
    messages: list[tuple[str, Mapping[str, Any]]] = []
    for each in interactions.items():
        fields = each.fields()
        if "data" not in fields or "direction" not in fields:
            continue  # of something else than a socket
        data = fields["data"].value
        if not isinstance(data, dict) or not isinstance(cast("dict[str, Any]", data).get("type"), str):
            fields["data"].wrong(f"an event with a 'type' is needed here, but this is {data!r}.")
        messages.append((fields["direction"].text(), cast("dict[str, Any]", data)))
    if not messages:
        raise SimulatorError(f"{file} holds no events of a socket: record a session that has some.")
    try:
        return RecordedScenario(messages)
    except (KeyError, TypeError, AttributeError) as error:
        message = f"{file} is not as the service would send it ({error!r}): record it again."
        raise SimulatorError(message) from error


def _add_entry(dialogue: Dialogue, entry: Place) -> None:
    fields = entry.fields((*_TRIGGERS, "answer", "then"))
    triggers = [name for name in _TRIGGERS if name in fields]
    if len(triggers) != 1:
        entry.wrong(f"an entry has one of {', '.join(_TRIGGERS)}, but this has {' and '.join(triggers) or 'none'}.")
    if "answer" not in fields and triggers != ["heard"]:
        entry.wrong("this has no 'answer': say what is said.")
    answer = _begin(dialogue, triggers[0], fields[triggers[0]])
    if "answer" in fields:
        _add_pieces(answer, fields["answer"])
    if "then" in fields:
        if "answer" not in fields:
            fields["then"].wrong("there is no 'answer' that this could come after: call it 'answer'.")
        _add_pieces(answer.then, fields["then"])


def _begin(dialogue: Dialogue, trigger: str, place: Place) -> Answer:
    if trigger == "on":
        try:
            return dialogue.on(place.text())
        except SimulatorError as error:
            place.wrong(str(error))
    if trigger == "heard":
        return dialogue.hear(place.text() if place.is_text else _failure(place))
    if place.value not in (None, True):
        place.wrong(f"nothing is needed after '{trigger}:', but this is {place.value!r}: move it to 'answer'.")
    return dialogue.opening() if trigger == "opening" else dialogue.otherwise()


def _failure(place: Place) -> Fail:
    fields = place.fields(("fail", "message"))
    if "fail" not in fields:
        place.wrong("a text, or 'fail: code', is needed here.")
    return Fail(fields["fail"].text(), fields["message"].text() if "message" in fields else "")


def _add_pieces(answer: Answer, place: Place) -> None:
    pieces = place.items() if place.is_list else [place]
    for n, piece in enumerate(pieces, 1):
        if _add_piece(answer, piece) == "then" and n < len(pieces):
            pieces[n].wrong("nothing can come after 'then' in the same list: move it into 'then'.")


def _add_piece(answer: Answer, piece: Place) -> str:
    """Add a piece and return its kind."""
    if piece.is_text:
        answer.say(piece.text())
        return "say"
    fields = piece.fields((*_PIECES, "arguments", "message"))
    kinds = [name for name in _PIECES if name in fields]
    if len(kinds) != 1:
        piece.wrong(f"a piece has one of {', '.join(_PIECES)}, but this has {' and '.join(kinds) or 'none'}.")
    (kind,) = kinds
    for name, owner in (("arguments", "call"), ("message", "fail")):
        if name in fields and kind != owner:
            fields[name].wrong(f"{name!r} goes with '{owner}', but this is '{kind}'.")
    value = fields[kind]
    match kind:
        case "say":
            answer.say(value.text())
        case "call":
            _call(answer, value.text(), fields.get("arguments"))
        case "wait":
            answer.wait(value.seconds())
        case "fail":
            answer.fail(value.text(), fields["message"].text() if "message" in fields else "")
        case _:
            _add_pieces(answer.then, value)
    return kind


def _call(answer: Answer, name: str, arguments: Place | None) -> None:
    if arguments is None:
        answer.call(name)
        return
    try:
        answer.call(name, **{key: value.value for key, value in arguments.fields().items()})
    except SimulatorError as error:
        arguments.wrong(str(error))
