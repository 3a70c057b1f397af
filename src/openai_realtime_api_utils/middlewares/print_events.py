"""Print events, one line each."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, cast

from ..errors import HandlerError
from ..events import redact
from ..handlers import SENT_BY, Metadata
from ..state.reading import at, read_text

_logger = logging.getLogger(__name__)

Filter = Callable[[Any], bool]
"""Sees an event; True has it printed."""

_SOUND = frozenset(
    {
        "input_audio_buffer.append",
        "response.output_audio.delta",
        "session.input_audio_buffer.append",
        "session.output_audio.delta",
    }
)
_LINE = 240
"""Letters in a line at most."""
_VALUE = 80
"""Letters of one value at most."""

_MATTERS: Mapping[str, tuple[str, ...]] = {
    "item": ("id", "type", "role", "phase", "status", "name", "call_id", "arguments", "output", "content"),
    "response": ("id", "status", "status_details", "conversation", "metadata", "usage.total_tokens"),
}
"""What is shown of an object that says much else."""
_UNTOLD = frozenset({"type", "obfuscation", "logprobs", "output_index", "content_index"})
_UNTOLD_OF_SERVER = _UNTOLD | {"event_id"}  # a server event's id is of use to nobody; a client event's is, for errors


class Stream(Protocol):
    """Take text: an open text file, ``sys.stderr``, ``io.StringIO()``, ..."""

    def write(self, text: str, /) -> object: ...


def is_not_sound(event: Any) -> bool:
    """Let everything through but the events that carry sound: dozens a second that all look the same."""
    return read_text(event, "type") not in _SOUND


class FirstOfEach:
    """Be the default filter: no sound, and of deltas of one item in a row only the first; what ends them has it all."""

    def __init__(self) -> None:
        self._last: tuple[str, str | None] | None = None

    def __call__(self, event: Any) -> bool:
        if not is_not_sound(event):
            return False
        name = read_text(event, "type") or ""
        before, self._last = self._last, (name, read_text(event, "item_id")) if name.endswith(".delta") else None
        return self._last is None or self._last != before


class PrintEvents:
    """Print each event as one line: its direction, its type, its ids and what matters of the rest.

    Sound and images are told by their size, and secrets are left out, whatever the filters let through. Hooked last, it
    shows what the handlers before it made of the events. It writes at once; a stream that may block, as a paused
    terminal does, blocks the program: give a logger with a ``QueueHandler`` where that matters.

    A stream that fails does not end the session: the failure is logged once, and no more is printed.
    """

    def __init__(
        self,
        file: Stream | None = None,
        *,
        logger: logging.Logger | None = None,
        level: int = logging.INFO,
        filter_server: Filter | None = None,
        filter_client: Filter | None = None,
    ) -> None:
        """Print to a stream or to a logger.

        Args:
            file: the stream; what ``sys.stderr`` is at the time by default.
            logger: takes the lines instead.
            level: at which the logger takes them.
            filter_server: returns True for the server events to print; ``FirstOfEach`` by default.
            filter_client: returns True for the client events to print; ``FirstOfEach`` by default.

        Raises:
            HandlerError: both a stream and a logger were given.
        """
        if file is not None and logger is not None:
            raise HandlerError("PrintEvents was given a file and a logger, but prints to one of them: leave one out.")
        self._file = file
        self._logger = logger
        self._level = level
        self._filter_server = filter_server or FirstOfEach()
        self._filter_client = filter_client or FirstOfEach()
        self._is_broken = False

    def server_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Print a server event."""
        if self._filter_server(event):
            self._print(f"← {describe(event, untold=_UNTOLD_OF_SERVER)}")
        return event, metadata

    def client_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Print a client event."""
        if self._filter_client(event):
            sender = SENT_BY.get(metadata)
            self._print(f"→ {describe(event)}{f' by={sender}' if sender else ''}")
        return event, metadata

    def _print(self, line: str) -> None:
        if self._logger is not None:
            self._logger.log(self._level, "%s", line)
            return
        file = cast("Stream | None", sys.stderr) if self._file is None else self._file
        if file is None or self._is_broken:
            return
        try:
            _write(file, f"{line}\n")
        except (OSError, ValueError) as cause:
            self._is_broken = True
            _logger.warning("Events are no longer printed, for the stream failed: %s.", cause)


def describe(event: Any, *, untold: frozenset[str] = _UNTOLD) -> str:
    """Return what matters of an event in one line, without sound, secrets, and the fields in ``untold``."""
    shown = redact(event)
    if "item_id" in shown:
        shown.pop("response_id", None)  # which the item told when it was added
    fields = (
        f"{name}={_brief(value)}"
        for name, value in _fields(shown)
        if name not in untold and value is not None and value not in ({}, [])
    )
    return _clip(_printable(" ".join([str(shown.get("type")), *fields])), _LINE)


def _fields(shown: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in shown.items():
        if not isinstance(value, Mapping):
            yield name, value
            continue
        inner = cast("Mapping[str, Any]", value)
        for path in _MATTERS.get(name, inner):
            yield f"{name}.{path}", at(inner, *path.split("."))


def _brief(value: object) -> str:
    if isinstance(value, str) and value and not any(letter.isspace() or letter in "\"'" for letter in value):
        return _clip(value, _VALUE)
    return _clip(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str), _VALUE)


def _clip(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _printable(line: str) -> str:
    """Escape what would break the line, or command a terminal."""
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


def _write(file: Stream, text: str) -> None:
    try:
        file.write(text)
    except UnicodeEncodeError as cause:
        file.write(text.encode(cause.encoding, "backslashreplace").decode(cause.encoding))
