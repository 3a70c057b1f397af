"""Be what is known of the sessions of one conversation: the one that is on, and those before and after it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

from ..clock import Clock
from ..state.config import merge
from ..state.microphone_gap import MicrophonePolicy, UserAudio
from ..state.unanswered import Unanswered
from ..tasks import TaskOwner, within
from .frames import LocalFrames
from .gap import ROOM, Gap
from .journal import Journal
from .line import Connect, Line
from .opening import Change, Limits
from .selection import Selection
from .views import ConfigView, ConversationView, HeardView, detects_turns

_Event: TypeAlias = dict[str, Any]
Tell: TypeAlias = Callable[[Change], object]


class Sessions:
    """Hold the state that receiving, sending and restoring share; each is a module of its own."""

    def __init__(
        self,
        connect: Connect,
        *,
        conversation: ConversationView,
        config: ConfigView,
        heard: HeardView | None,
        selection: Selection,
        journal: Journal,
        policy: MicrophonePolicy,
        limits: Limits,
        tell: Tell,
        clock: Clock,
        draw: Callable[[], float],
    ) -> None:
        self.clock = clock
        self.news = asyncio.Event()
        self.idle = asyncio.Event()
        """Set while all that came has been handled."""
        self.line: Line = Line(connect, self.news, clock)
        self.draining: Line | None = None
        """The session before this one, while it says what it has to say."""
        self.gap: Gap | None = None
        """Where events wait; None while they are sent."""
        self.user_audio = UserAudio()
        self.unanswered = Unanswered()
        self.tell = tell
        self.connect = connect
        self.conversation = conversation
        self.config = config
        self.heard = heard
        self.selection = selection
        self.journal = journal
        self.policy: MicrophonePolicy = policy
        self.limits = limits
        self.draw = draw
        self.frames = LocalFrames()
        self.ready: deque[bytes] = deque()
        self.held: deque[_Event] = deque(maxlen=ROOM)
        """What waits until the session before this one is done; above so many, the oldest are dropped."""
        self.end: Exception | None = None
        self.owner = TaskOwner()
        self.tasks: set[asyncio.Task[Any]] = set()
        self.line_tasks: dict[Line, asyncio.Task[None]] = {}
        self.attempts = 0
        """How many times a connection was opened since the last one that lasted."""
        self.was_announced = False
        self.asked_again: deque[str] = deque(maxlen=64)
        self.can_truncate = True
        self.truncating: dict[str, _Event] = {}
        self.last_code: str | None = None
        self.stored_config: dict[str, Any] = {}

    def spawn(self, work: Any, name: str) -> asyncio.Task[Any]:
        """Run work that ends with this connection; its failure is what ``recv`` raises."""

        async def guarded() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001  (raised where it is received from)
                self.fail(error)

        task = self.owner.spawn(guarded(), name=f"resume: {name}")
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def open_line(self, *, shows_items: bool = False) -> Line:
        """Open one more connection.

        Raises:
            Exception: what kept it from opening.
        """
        line = Line(self.connect, self.news, self.clock, shows_items=shows_items)
        task = self.owner.spawn(line.run(), name="resume: a connection")
        self.line_tasks[line] = task
        try:
            await within(self.limits.open_s, self.clock, line.opened())
        except BaseException:
            self.drop_line(line)
            raise
        return line

    def drop_line(self, line: Line) -> None:
        """Close a connection that is not needed any more, and wait for nothing."""
        task = self.line_tasks.pop(line, None)
        if task is not None:
            task.cancel()
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    @property
    def configuration(self) -> dict[str, Any]:
        """The configuration that a new session is given."""
        return merge(self.stored_config, self.config.accepted)

    @property
    def nothing_new(self) -> dict[str, Any]:
        """An update of the session that changes nothing, but is answered."""
        kind = self.config.session_type
        return {} if kind == "translation" else {"type": kind}

    @property
    def is_quiet(self) -> bool:
        """Whether nobody speaks and nothing is under way."""
        return not (
            self.ready
            or self.gap is not None
            or self.line.frames
            or self.line.responses
            or self.line.untranscribed
            or self.unanswered
            or self.is_user_speaking
            or (self.heard is not None and self.heard.is_speaking)
        )

    @property
    def is_user_speaking(self) -> bool:
        """Whether the user's turn is under way."""
        is_pending = self.user_audio.is_pending and not detects_turns(self.config)
        return self.user_audio.is_speaking or is_pending

    @property
    def under_way(self) -> frozenset[str]:
        """The responses whose items are not to be restored yet, for they still grow."""
        lines = [line for line in (self.line, self.draining) if line is not None]
        return frozenset(response_id for line in lines for response_id in line.responses)

    @property
    def is_between(self) -> bool:
        """Whether a connection was lost and there is no other yet."""
        return self.gap is not None and self.gap.microphone is not None

    def tell_replaced(self, reason: str, old_id: str | None, gap: Gap) -> None:
        """Have the handlers told of the session that is on now."""
        gap_ms = round((self.clock.now() - gap.began_at) * 1000)
        line = self.line
        self.ready.append(self.frames.session_replaced(reason, old_id, line.session_id, gap_ms, line.session))
        self.news.set()

    async def write_down(self) -> None:
        """Write what has changed into the store."""
        await self.journal.write(self.conversation, self.config, self.line.session_id, self.heard)

    def look_at_heard(self) -> None:
        """Have more of what sounds written down."""
        if self.journal.note_heard():
            self.news.set()

    def fail(self, error: Exception) -> None:
        """End it all with an error."""
        self.end = self.end or error
        self.gap = None
        self.news.set()

    async def end_tasks(self) -> None:
        """End all that runs, and wait until it has."""
        tasks = [*self.tasks, *self.line_tasks.values()]
        self.owner.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
