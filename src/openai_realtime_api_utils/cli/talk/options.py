"""Hold what ``realtime talk`` was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_MODEL = "gpt-realtime-2.1"
DEFAULT_OUTPUT = Path("answer.wav")


@dataclass(frozen=True)
class TalkOptions:
    """Be the command's options as they were given; None is "you choose"."""

    input: Path | None = None
    output: Path | None = None
    save: Path | None = None
    model: str = DEFAULT_MODEL
    voice: str | None = None
    instructions: str | None = None
    url: str | None = None
    chat_url: str | None = None
    chat_model: str | None = None
    greeting: bool = True
    fast: bool = False
    microphone: int | str | None = None
    loudspeaker: int | str | None = None
    echo_cancellation: bool = True
    push_to_talk: bool = False
    tools: tuple[str, ...] = ()
    """Modules, or paths of Python files, whose functions the model may call."""
    mcp: tuple[str, ...] = ()
    """Command lines or addresses of MCP servers."""
    approve: bool = False
    resume: str | None = None
    """The name of a conversation that is to be kept, and gone on with."""
