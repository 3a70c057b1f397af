"""Keep a conversation in a folder: its events, its transcript, and what went into the microphone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TextIO

from ...clock import Clock
from ...errors import RealtimeUtilsError
from ...events import redact
from ...handlers import Metadata

EVENTS, TRANSCRIPT, MICROPHONE = "events.jsonl", "transcript.txt", "microphone.wav"


class SaveSession:
    """Be a middleware that writes every event, without its audio, as one line of JSON."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Make the folder and the file.

        Raises:
            RealtimeUtilsError: the folder cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = (folder / EVENTS).open("w", encoding="utf-8")
        except OSError as cause:
            raise RealtimeUtilsError(
                f"The folder {folder} cannot be written ({cause.strerror}): choose another."
            ) from cause
        self.folder = folder
        self._clock = clock
        self._start = clock.now()

    def server_event_handler(self, event: Any, metadata: Metadata, connection: Any) -> Any:
        self._write("received", event)
        return event, metadata

    def client_event_handler(self, event: Any, metadata: Metadata, connection: Any) -> Any:
        self._write("sent", event)
        return event, metadata

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write_transcript(self, text: str) -> None:
        """Write the whole conversation as text."""
        (self.folder / TRANSCRIPT).write_text(text + "\n", encoding="utf-8")

    @property
    def microphone_path(self) -> Path:
        """The file that takes what went into the microphone."""
        return self.folder / MICROPHONE

    def _write(self, direction: str, event: Mapping[str, Any] | Any) -> None:
        line = {"t": round(self._clock.now() - self._start, 3), "direction": direction, "event": redact(event)}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
