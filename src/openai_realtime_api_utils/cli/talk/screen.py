"""Show a conversation on a terminal: what was said scrolls, what is being said grows at the bottom."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from .moments import Answered, Chose, Floor, Interrupted, Moment, Problem, Said, Summary

_LABEL_WIDTH = 13
_STYLES = {"user": "bold cyan", "assistant": "bold green"}
_NAMES = {"user": "you", "assistant": "assistant"}
_FLOORS = {"user": "you are speaking", "assistant": "the assistant is speaking", "nobody": "nobody is speaking"}


class Screen:
    """Be the teller of moments on a terminal; where there is none, finished lines only."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._live = Live(console=self._console, transient=True, refresh_per_second=12)
        self._saying: dict[str, Said] = {}
        self._floor = ""
        self._latency = ""
        self._cut = ""

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._live.stop()

    def __call__(self, moment: Moment) -> None:
        match moment:
            case Chose():
                self._line(moment.what, f"{moment.which} [dim]({moment.why})[/dim]", "dim")
            case Floor():
                self._floor = moment.who
            case Said():
                self._said(moment)
            case Answered():
                silence = f"{moment.of_it_silence_s:g} s of it the silence that ends a turn"
                self._latency = f"{moment.latency_s:.2f} s after you stopped, {silence}"
            case Interrupted():
                self._interrupted(moment)
            case Problem():
                self._line("problem", f"[red]{_plain(moment.message)}[/red]", "red")
            case Summary():
                self._summary(moment)
        if self._live.is_started:
            self._live.update(self._bottom())

    def _said(self, said: Said) -> None:
        if said.item_id == self._cut:
            return
        if not said.is_final:
            self._saying[said.item_id] = said
            return
        self._saying.pop(said.item_id, None)
        self._line(_NAMES.get(said.who, said.who), _plain(said.text), _STYLES.get(said.who, ""))
        if said.who == "assistant":
            self._tell_latency()

    def _interrupted(self, cut: Interrupted) -> None:
        """Show what was heard in place of what was said; the rest of it nobody heard."""
        mark = f"[yellow]… interrupted after {cut.heard_ms / 1000:.1f} s[/yellow]"
        self._saying.pop(cut.item_id, None)
        self._cut = cut.item_id
        self._line(_NAMES["assistant"], f"{_plain(cut.heard_text)} {mark}".strip(), _STYLES["assistant"])
        self._tell_latency()

    def _tell_latency(self) -> None:
        if self._latency:
            self._line("", f"[dim]{self._latency}[/dim]")
        self._latency = ""

    def _summary(self, summary: Summary) -> None:
        self._saying.clear()
        self._floor = ""
        turns = "1 turn" if summary.turns == 1 else f"{summary.turns} turns"
        self._line(
            "in all",
            f"{turns}, {summary.user_audio_s:.1f} s of you, {summary.assistant_audio_s:.1f} s of the assistant, "
            f"{summary.tokens_in} tokens in, {summary.tokens_out} out",
            "dim",
        )
        self._line("written", ", ".join(summary.files), "dim")

    def _line(self, label: str, markup: str, style: str = "") -> None:
        row = Table.grid(padding=(0, 1))
        row.add_column(width=_LABEL_WIDTH, no_wrap=True)
        row.add_column(ratio=1, overflow="fold")
        row.add_row(Text(label, style=style), markup)
        self._console.print(row)

    def _bottom(self) -> Group:
        lines = [
            Text.assemble((f"{_NAMES.get(said.who, said.who):{_LABEL_WIDTH}} ", _STYLES.get(said.who, "")), said.text)
            for said in self._saying.values()
        ]
        floor = Padding(Spinner("dots", text=Text(_FLOORS[self._floor], style="dim")), 0) if self._floor else Text()
        return Group(*lines, floor)


def _plain(text: str) -> str:
    """Return text so that nothing in it is taken for rich's markup."""
    return text.replace("[", r"\[")
