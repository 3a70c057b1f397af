"""Make a connection that is never lost."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from ..clock import Clock, SystemClock
from ..state.microphone_gap import MicrophonePolicy, checked_policy
from .journal import Journal, Store
from .line import Connect
from .memory_store import MemoryStore
from .opening import Change, Limits
from .rotation import rotate, tell_heard, watch
from .selection import Selection, Summarise
from .sessions import Sessions
from .socket import Socket
from .views import ConfigView, ConversationView, HeardView

if TYPE_CHECKING:
    from openai.resources.realtime.realtime import AsyncRealtimeConnection
    from websockets.asyncio.client import ClientConnection

_logger = logging.getLogger(__name__)


@asynccontextmanager
async def resume(
    connect: Connect,
    *,
    conversation: ConversationView,
    config: ConfigView,
    heard: HeardView | None = None,
    store: Store | None = None,
    rollover_s: float = 3300.0,
    mic: MicrophonePolicy = "drop",
    max_tokens: int = 24_000,
    summarise: Summarise | None = None,
    attempts: int = 10,
    give_up_s: float = 300.0,
    dead_after_s: float = 30.0,
    tell: Callable[[Change], object] | None = None,
    clock: Clock | None = None,
    draw: Callable[[], float] = random.random,
) -> AsyncGenerator[AsyncRealtimeConnection]:
    """Yield a connection that opens the next session when one is lost or about to end, and gives it the conversation.

    Hook it like any connection, together with ``conversation`` and ``config``. Handlers see a failed ``response.done``
    for each response that was lost, and one ``local.session_replaced`` for each new session; nothing of how a session
    is prepared.

    Args:
        connect: opens a connection: ``lambda: client.realtime.connect(model=...)``.
        conversation: the ``TrackConversation`` that is hooked.
        config: the ``TrackConfig`` that is hooked.
        heard: the ``AudioPlayer`` that is hooked, so that a session is not left while the assistant speaks, and the
            store knows what was heard.
        store: where to write what is needed to go on elsewhere; in memory by default. What it holds already goes on.
        rollover_s: after how long a session is left at the next quiet moment; sooner where it lives shorter.
        mic: what becomes of the user's sound while there is no connection.
        max_tokens: how much of the conversation, roughly, a new session is given; the oldest items are left out.
        summarise: makes a text that stands for those.
        attempts: how many times to connect again after one loss.
        give_up_s: after how many seconds of trying to give up.
        dead_after_s: how long a connection that is open but dead may go unnoticed.
        tell: is told what becomes of the connection.
        clock: the machine's own by default.
        draw: a chance from 0 to 1, for how long to wait.

    Raises:
        ResumeError: where it is received from: the connection could not be opened again.
        ValueError: an option has no meaning.
    """
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

    for name, value in (("rollover_s", rollover_s), ("give_up_s", give_up_s), ("dead_after_s", dead_after_s)):
        if not value > 0:
            raise ValueError(f"{name} is {value}, but it is a time in seconds: give more than 0.")
    clock = clock or SystemClock()
    sessions = Sessions(
        connect,
        conversation=conversation,
        config=config,
        heard=heard,
        selection=Selection(conversation, max_tokens, summarise, clock),
        journal=Journal(store or MemoryStore()),
        policy=checked_policy(mic),
        limits=Limits(attempts, give_up_s),
        tell=tell or _log,
        clock=clock,
        draw=draw,
    )
    socket = Socket(sessions)
    async with socket.running():
        sessions.spawn(rotate(sessions, rollover_s, clock), "replace sessions that end")
        sessions.spawn(watch(sessions, dead_after_s, clock), "find dead connections")
        if heard is not None:
            sessions.spawn(tell_heard(sessions, clock), "note what was heard")
        yield AsyncRealtimeConnection(cast("ClientConnection", socket))


def _log(change: Change) -> None:
    _logger.info("%s: %s", change.kind, change.reason)
