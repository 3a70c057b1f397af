"""Be one item of a response while the model makes it: a message, spoken or written, or a call.

Each item goes through the same steps: it is opened, grows by deltas, and is closed. The order of the events of each
step is that of the recorded sessions.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import pybase64

from .conversation import Conversation, Entry, joined
from .engine import RATE
from .mcp import Place
from .outbox import Outbox
from .sound import Encoder

if TYPE_CHECKING:
    from ..ports import Samples


class Output(ABC):
    """Hold what all kinds of items share."""

    def __init__(
        self, item: dict[str, Any], outbox: Outbox, response_id: str, conversation: Conversation | None
    ) -> None:
        self.entry = Entry(item)
        self.is_open = False
        self.grown = ""
        """The text, transcript or arguments so far."""
        self._outbox = outbox
        self._conversation = conversation
        self._response_id = response_id
        self._where: dict[str, Any] = {}

    @property
    def item(self) -> dict[str, Any]:
        return self.entry.item

    def open(self, output_index: int) -> None:
        """Show the item for the first time, empty and in progress."""
        self.is_open = True
        self._where = {"response_id": self._response_id, "item_id": self.item["id"], "output_index": output_index}
        self._outbox.event(
            "response.output_item.added",
            response_id=self._response_id,
            output_index=output_index,
            item=copy.deepcopy(self.item),
        )
        if self._conversation is not None:
            self._conversation.add(self.entry, is_done=False)

    @property
    def place(self) -> Place:
        return Place(self._response_id, self._where["output_index"])

    def close(self, status: str) -> None:
        """Show the item for the last time, as it has become."""
        self.is_open = False
        if "status" in self.item:
            self.item["status"] = status
        self._close_content()
        if self._conversation is not None:
            self._conversation.done(self.entry)
        self._outbox.event(
            "response.output_item.done",
            response_id=self._response_id,
            output_index=self._where["output_index"],
            item=copy.deepcopy(self.item),
        )

    @abstractmethod
    def write(self, delta: str) -> None:
        """Add text, transcript or arguments."""

    @abstractmethod
    def _close_content(self) -> None: ...

    def _delta(self, event_type: str, delta: str) -> None:
        self.grown += delta
        self._outbox.event(event_type, **self._where, delta=delta, obfuscation=self._outbox.ids.padding(delta))


class TextMessage(Output):
    """Be a written message."""

    def open(self, output_index: int) -> None:
        super().open(output_index)
        self._where["content_index"] = 0
        self._outbox.event("response.content_part.added", **self._where, part={"type": "text", "text": ""})

    def write(self, delta: str) -> None:
        self._delta("response.output_text.delta", delta)

    def _close_content(self) -> None:
        self._outbox.event("response.output_text.done", **self._where, text=self.grown)
        self._outbox.event("response.content_part.done", **self._where, part={"type": "text", "text": self.grown})
        self.item["content"] = [{"type": "output_text", "text": self.grown}]


class SpokenMessage(Output):
    """Be a spoken message: its transcript, and its sound in the session's format."""

    def __init__(
        self,
        item: dict[str, Any],
        outbox: Outbox,
        response_id: str,
        conversation: Conversation | None,
        encoder: Encoder | None,
    ) -> None:
        """Begin a message; without an encoder its sound goes another way than by events, as in a call."""
        super().__init__(item, outbox, response_id, conversation)
        self._encoder = encoder
        self._pieces: list[Samples] = []

    def open(self, output_index: int) -> None:
        super().open(output_index)
        self._where["content_index"] = 0
        self._outbox.event("response.content_part.added", **self._where, part={"type": "audio", "transcript": ""})

    def write(self, delta: str) -> None:
        self._delta("response.output_audio_transcript.delta", delta)

    def sound(self, samples: Samples) -> None:
        self._pieces.append(samples)
        self.entry.n_samples += len(samples)
        if self._encoder is not None:
            self._send(self._encoder.encode(samples))

    @property
    def audio_ms(self) -> int:
        """How much speech was made, whatever was cut off again since."""
        return sum(map(len, self._pieces)) * 1000 // RATE

    def _send(self, data: bytes) -> None:
        if data:
            self._outbox.event("response.output_audio.delta", **self._where, delta=pybase64.b64encode(data).decode())

    def _close_content(self) -> None:
        if self._encoder is not None:
            self._send(self._encoder.finish())
        self._outbox.event("response.output_audio.done", **self._where)
        self._outbox.event("response.output_audio_transcript.done", **self._where, transcript=self.grown)
        part = {"type": "audio", "transcript": self.grown}
        self._outbox.event("response.content_part.done", **self._where, part=part)
        self.item["content"] = [{"type": "output_audio", "transcript": self.grown}]
        self.entry.samples = joined(self._pieces)[: self.entry.n_samples]


class FunctionCall(Output):
    """Be a call of one of the client's functions."""

    def write(self, delta: str) -> None:
        self._where.setdefault("call_id", self.item["call_id"])
        self._delta("response.function_call_arguments.delta", delta)

    def _close_content(self) -> None:
        self.item["arguments"] = self.grown
        self._where.setdefault("call_id", self.item["call_id"])
        self._outbox.event(
            "response.function_call_arguments.done", **self._where, name=self.item["name"], arguments=self.grown
        )


class McpCall(Output):
    """Be a call of an MCP tool, or the request that the client approve of one; only its arguments are made here."""

    def write(self, delta: str) -> None:
        self._delta("response.mcp_call_arguments.delta", delta)

    def hand_over(self) -> None:
        """Complete the arguments, and leave it to others to close the item when the tool has answered."""
        self.is_open = False
        self._close_content()

    def _close_content(self) -> None:
        self.item["arguments"] = self.grown
        self._outbox.event("response.mcp_call_arguments.done", **self._where, arguments=self.grown)
