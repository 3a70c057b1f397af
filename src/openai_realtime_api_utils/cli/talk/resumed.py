"""Keep a conversation by its name, so that it outlives connections and programs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ...clock import Clock
from ...errors import RealtimeUtilsError
from ...middlewares import AudioPlayer, TrackConfig, TrackConversation
from ...resume import FileStore, resume
from . import choose
from .moments import Chose, Moment, Tell
from .options import TalkOptions


class Heard:
    """Know what was heard, from the moment on at which there is a player."""

    def __init__(self) -> None:
        self.player: AudioPlayer | None = None

    @property
    def is_speaking(self) -> bool:
        return self.player is not None and self.player.is_speaking

    def heard_text(self, item_id: str, /) -> str:
        return "" if self.player is None else self.player.heard_text(item_id)


def path_of(name: str, variables: Mapping[str, str]) -> Path:
    """Return the file of a conversation: where programs keep their data, or the path itself if it is one.

    Raises:
        RealtimeUtilsError: the name is empty.
    """
    if not name.strip():
        raise RealtimeUtilsError("--resume needs a name for the conversation, for example --resume monday.")
    if "/" in name or name.endswith(".jsonl"):
        return Path(name)
    data = variables.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "openai-realtime-api-utils" / f"{name}.jsonl"


def is_begun(options: TalkOptions, variables: Mapping[str, str]) -> bool:
    """Tell whether the conversation was begun earlier."""
    if options.resume is None:
        return False
    path = path_of(options.resume, variables)
    return path.is_file() and path.stat().st_size > 0


@asynccontextmanager
async def connect(
    options: TalkOptions,
    variables: Mapping[str, str],
    clock: Clock,
    tell: Tell,
    *,
    config: TrackConfig,
    conversation: TrackConversation,
    heard: Heard,
) -> AsyncGenerator[Any]:
    """Connect to the server, for good where the conversation has a name.

    Raises:
        RealtimeUtilsError: the choice cannot be followed; says what to change.
    """
    if options.resume is None:
        async with choose.connect(options, variables, clock, tell) as connection:
            yield connection
        return
    path = path_of(options.resume, variables)
    goes_on = "it goes on" if is_begun(options, variables) else "it begins"
    tell(Chose("conversation", f"{options.resume}, kept in {path}", f"--resume names it; {goes_on}"))
    told: set[Moment] = set()

    def tell_once(moment: Moment) -> None:
        if not isinstance(moment, Chose) or moment not in told:
            tell(moment)
        if isinstance(moment, Chose):
            told.add(moment)

    async with resume(
        lambda: choose.connect(options, variables, clock, tell_once),
        conversation=conversation,
        config=config,
        heard=heard,
        store=FileStore(path, clock=clock),
        clock=clock,
    ) as connection:
        yield connection
