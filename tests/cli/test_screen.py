"""The screen: what was said scrolls, what is being said grows, and nothing that is said is taken for markup."""

import io

from rich.console import Console

from openai_realtime_api_utils.cli.talk.moments import (
    Answered,
    Called,
    Chose,
    Floor,
    Heard,
    Interrupted,
    Level,
    Problem,
    Said,
    Summary,
)
from openai_realtime_api_utils.cli.talk.screen import Screen


def shown(*moments, terminal=False):
    """Return what a screen prints for moments."""
    stream = io.StringIO()
    variables = {"TERM": "xterm"} if terminal else {}
    console = Console(
        file=stream, width=100, highlight=False, force_terminal=terminal, color_system=None, _environ=variables
    )
    screen = Screen(console)
    screen.start()
    for moment in moments:
        screen(moment)
    screen.stop()
    return stream.getvalue()


def lines(*moments):
    return [" ".join(line.split()) for line in shown(*moments).splitlines()]


def test_a_choice_is_one_line():
    """What, which, and why in brackets."""
    assert lines(Chose("server", "the local simulator", "no key")) == ["server the local simulator (no key)"]


def test_an_answer_scrolls_when_it_has_been_heard():
    """Not when its text is whole: that comes faster than the sound. The wait is told below it."""
    said = Said("assistant", "a", "Six.", is_final=True)
    assert lines(said) == []
    told = lines(said, Answered(1, 0.8, 0.5), Heard("a", "Six.", is_over=True))
    assert told == ["assistant Six.", "0.80 s after you stopped, 0.5 s of it the silence that ends a turn"]


def test_a_typed_answer_scrolls_when_it_is_whole():
    """Nothing of it will be heard."""
    assert lines(Said("assistant", "a", "Six.", is_final=True, is_spoken=False)) == ["assistant Six."]


def test_a_cut_answer_shows_what_was_heard():
    """The rest, which nobody heard, is not shown; nor is the text that arrives later."""
    told = lines(
        Said("assistant", "a", "Once upon a time", is_final=False),
        Interrupted("a", 600, "Once upon"),
        Said("assistant", "a", "Once upon a time there", is_final=True),
    )
    assert told == ["assistant Once upon … interrupted after 0.6 s"]


def test_words_are_not_taken_for_markup():
    """Brackets in what people say, in paths and in messages stay."""
    told = lines(
        Said("user", "u", "[red]hi[/red]", is_final=True), Problem("[bold]no[/bold]"), Chose("file", "[a].wav", "x")
    )
    assert told == ["you [red]hi[/red]", "problem [bold]no[/bold]", "file [a].wav (x)"]


def test_the_end_leaves_nothing_out():
    """What was still being said is shown before the summary."""
    told = lines(Said("assistant", "a", "Well", is_final=False), Summary(2, 1.5, 2.25, 10, 20, ["a.wav", "kept"]))
    assert told == [
        "assistant Well",
        "in all 2 turns, 1.5 s of you, 2.2 s of the assistant, 10 tokens in, 20 out",
        "written a.wav, kept",
    ]


def test_a_terminal_shows_the_floor_and_the_level():
    """While it goes on, the last line tells who speaks and how loud the microphone is."""
    drawn = shown(Floor("user"), Level(-30.0), Said("user", "u", "hel", is_final=False), terminal=True)
    assert "you are speaking" in drawn
    assert "▮▮▮▮▮▮▯▯▯▯▯▯" in drawn
    assert "hel" in drawn


def test_nothing_that_is_told_commands_the_terminal():
    """Words, calls, what tools return, and messages of the server are shown, not obeyed."""
    evil = "\x1b[2J\x9b31m\x07"
    told = shown(
        Said("assistant", "a", f"{evil}Six", is_final=True, is_spoken=False),
        Said("user", "u", f"{evil}seven", is_final=True),
        Called("c", f"{evil}f", evil, "running", None, 0.0),
        Called("c", f"{evil}f", "[" * 100_000, "answered", f"{evil}eight", 0.1),
        Interrupted("i", 600, f"{evil}nine"),
        Problem(f"{evil}ten"),
        Chose("server", evil, evil),
    )
    assert not set(told) & set("\x1b\x9b\x07")
    assert all(word in told for word in ("Six", "seven", "eight", "nine", "ten", "\\x1b[2J"))
