"""Show a conversation on a terminal: what was said scrolls, what is being said grows at the bottom.

An answer arrives faster than it sounds: what was heard of it is bright, what is still to sound is dim.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import cast

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ...events import visible
from .moments import Answered, Called, Chose, Floor, Heard, Interrupted, Level, Moment, Problem, Said, Summary

_LABEL_WIDTH = 13
_LONGEST_OUTPUT = 300
"""How many characters of what a tool returned are shown."""

_METER_WIDTH = 12
_METER_FLOOR_DBFS = -60.0
_STYLES = {"user": "bold cyan", "assistant": "bold green"}
_NAMES = {"user": "you", "assistant": "assistant"}
_FLOORS = {"user": "you are speaking", "assistant": "the assistant is speaking", "nobody": "nobody is speaking"}


class Screen:
    """Be the teller of moments on a terminal; where there is none, finished lines only."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._live = Live(console=self._console, transient=True, refresh_per_second=12)
        self._saying: dict[str, Said] = {}
        self._heard: dict[str, str] = {}
        self._floor: Spinner | None = None
        self._level_dbfs = _METER_FLOOR_DBFS
        self._echo = ""
        self._latency = ""
        self._cut = ""
        self._calls: dict[str, Called] = {}

    def start(self) -> None:
        """Take the bottom of the terminal."""
        if self._console.is_terminal:
            self._live.start()

    def stop(self) -> None:
        """Give the terminal back as it was; does nothing where it was not taken."""
        self._live.stop()

    def __call__(self, moment: Moment) -> None:
        moment = _visible(moment)
        match moment:
            case Chose():
                self._line(moment.what, Text.assemble(moment.which, (f" ({moment.why})", "dim")), "dim")
            case Floor():
                self._floor = Spinner("dots", Text(_FLOORS[moment.who], style="dim"))
            case Level():
                self._level_dbfs, self._echo = moment.dbfs, moment.echo
            case Said():
                self._said(moment)
            case Heard():
                self._is_heard(moment)
            case Answered():
                silence = f"{moment.of_it_silence_s:g} s of it the silence that ends a turn"
                self._latency = f"{moment.latency_s:.2f} s after you stopped, {silence}"
            case Interrupted():
                self._interrupted(moment)
            case Called():
                self._called(moment)
            case Problem():
                self._line("problem", Text(moment.message, style="red"), "red")
            case Summary():
                self._summary(moment)
        if self._live.is_started:
            self._live.update(self._bottom())

    def _said(self, said: Said) -> None:
        if said.item_id == self._cut:
            return
        self._saying[said.item_id] = said
        if said.is_final and (said.who == "user" or not said.is_spoken):
            self._finish(said.item_id)

    def _is_heard(self, heard: Heard) -> None:
        self._heard[heard.item_id] = heard.text
        if heard.is_over:
            self._finish(heard.item_id)

    def _finish(self, item_id: str) -> None:
        """Let what has been said and heard scroll."""
        said = self._saying.pop(item_id, None)
        self._heard.pop(item_id, None)
        if said is not None:
            self._line(_NAMES.get(said.who, said.who), Text(said.text.strip()), _STYLES.get(said.who, ""))
            if said.who == "assistant":
                self._tell_latency()

    def _interrupted(self, cut: Interrupted) -> None:
        """Show what was heard in place of what was said; the rest of it nobody heard."""
        self._saying.pop(cut.item_id, None)
        self._heard.pop(cut.item_id, None)
        self._cut = cut.item_id
        mark = (f" … interrupted after {cut.heard_ms / 1000:.1f} s", "yellow")
        self._line(_NAMES["assistant"], Text.assemble(cut.heard_text, mark), _STYLES["assistant"])
        self._tell_latency()

    def _called(self, call: Called) -> None:
        """Show a call at the bottom while it runs, and what came of it where it scrolls."""
        if call.status == "running":
            self._calls[call.call_id] = call
            return
        self._calls.pop(call.call_id, None)
        output = " ".join((call.output or "").split())
        cut = f"{output[:_LONGEST_OUTPUT]}…" if len(output) > _LONGEST_OUTPUT else output
        how = "" if call.status == "answered" else f"{call.status.replace('_', ' ')}: "
        style = "" if call.status == "answered" else "yellow"
        told = Text.assemble(_call_of(call), (f" → {how}{cut}", style), (f"  {call.seconds:.1f} s", "dim"))
        self._line("tool", told, "bold magenta")

    def _tell_latency(self) -> None:
        if self._latency:
            self._line("", Text(self._latency, style="dim"))
        self._latency = ""

    def _summary(self, summary: Summary) -> None:
        for item_id in tuple(self._saying):
            self._finish(item_id)
        self._floor = None
        turns = "1 turn" if summary.turns == 1 else f"{summary.turns} turns"
        spoken = f"{summary.user_audio_s:.1f} s of you, {summary.assistant_audio_s:.1f} s of the assistant"
        tokens = f"{summary.tokens_in} tokens in, {summary.tokens_out} out"
        self._line("in all", Text(f"{turns}, {spoken}, {tokens}"), "dim")
        if summary.files:
            self._line("written", Text(", ".join(summary.files)), "dim")

    def _line(self, label: str, text: Text, style: str = "") -> None:
        self._console.print(_row(label, text, style))

    def _bottom(self) -> Group:
        calling = [_row("tool", Spinner("dots", _call_of(call)), "bold magenta") for call in self._calls.values()]
        saying = [*calling, *(self._row_of(said) for said in self._saying.values())]
        if self._floor is None:
            return Group(*saying)
        status = Table.grid(padding=(0, 1))
        status.add_row(Text(_meter(self._level_dbfs), style="cyan"), self._floor, Text(self._echo, style="dim"))
        return Group(*saying, status)

    def _row_of(self, said: Said) -> Table:
        told = said.text.lstrip()
        heard = self._heard.get(said.item_id, "")
        split = len(heard) if told.startswith(heard) else 0
        is_heard_later = said.who == "assistant" and said.is_spoken
        text = Text.assemble(told[:split], (told[split:], "dim" if is_heard_later else ""))
        return _row(_NAMES.get(said.who, said.who), text, _STYLES.get(said.who, ""))


def _visible(moment: Moment) -> Moment:
    """Return a moment whose texts command no terminal, whatever a server said."""
    told = {each.name: getattr(moment, each.name) for each in fields(moment)}
    return replace(moment, **{name: visible(value) for name, value in told.items() if isinstance(value, str)})


def _call_of(call: Called) -> Text:
    """Write a call as Python would: ``get_weather(city="Paris")``."""
    try:
        arguments: object = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        return Text(f"{call.name}({call.arguments})")
    named = cast("dict[str, object]", arguments).items()
    return Text(f"{call.name}({', '.join(f'{name}={json.dumps(value)}' for name, value in named)})")


def _row(label: str, text: Text | Spinner, style: str) -> Table:
    row = Table.grid(padding=(0, 1))
    row.add_column(width=_LABEL_WIDTH, no_wrap=True)
    row.add_column(ratio=1, overflow="fold")
    row.add_row(Text(label, style=style), text)
    return row


def _meter(dbfs: float) -> str:
    """Draw the microphone's level."""
    share = max(0.0, min(1.0, 1 - dbfs / _METER_FLOOR_DBFS))
    full = round(share * _METER_WIDTH)
    return "▮" * full + "▯" * (_METER_WIDTH - full)
