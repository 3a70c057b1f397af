"""Tell a tool on whose behalf it runs."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from ..ports import Send
from ..state.conversation import Conversation


@dataclass(frozen=True, eq=False)
class ToolContext:
    """Be given to a tool that has a parameter annotated with this class; the model does not see that parameter."""

    call_id: str
    name: str
    """The tool's name."""
    arguments: str
    """The arguments as the model wrote them: JSON, if it kept to it."""
    send: Send = field(repr=False)
    """Sends client events through the handlers; for ``async`` tools. In a thread use ``send_soon``."""
    conversation: Conversation | None = field(default=None, repr=False)
    """The replica of ``TrackConversation``, where ``CallTools`` was given one. Read it on the event loop only."""
    response_id: str | None = None
    is_out_of_band: bool = False
    """Whether the call comes from a response that writes to no conversation."""
    is_cancelled: threading.Event = field(default_factory=threading.Event, repr=False)
    """Set when nobody waits for the result any more. A thread cannot be stopped, so long work in one looks at it."""
    loop: Any = field(default=None, repr=False)
    """The event loop that the call came from."""

    def send_soon(self, event: dict[str, Any]) -> None:
        """Send a client event when the event loop next turns; callable from any thread."""
        self.loop.call_soon_threadsafe(lambda: self.send.spawn(self.send(event), name=f"{self.name} sends"))
