"""Keep the conversation as the service keeps it: the items in order, and the sound behind them.

This is the simulator's own record. It is written apart from the client side's replica on purpose: two independent
readings of the protocol can disagree, and then a test shows it.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pybase64

from .engine import RATE
from .outbox import Outbox
from .refusals import Refusal, out_of_range

if TYPE_CHECKING:
    from ..ports import Samples

_MOST_CHARACTERS = 64 * 1024 * 1024
"""Far above every model's context; what holds more has run away."""
_ITEM_ITSELF = 1000
"""Characters that an item counts for, besides what it says."""


@dataclass
class Entry:
    """Be an item and what the service knows of it but does not show in events."""

    item: dict[str, Any]
    """As events show it."""
    samples: Samples | None = None
    """Its sound, int16 at ``RATE``; None where it has none or it was let go."""
    n_samples: int = 0
    transcript: str | None = None
    """What was understood of a user's speech; events leave it null (recorded sessions)."""
    is_heard: bool = True
    """False while somebody still listens to it: a model that is given the item has to wait."""

    is_in_context: bool = True
    """False once it was dropped from what models are given, for the conversation had outgrown them."""
    shown: dict[str, Any] | None = None
    """What models were last given of it."""
    size: int = 0
    """How many characters it held when it was added."""

    @property
    def audio_ms(self) -> int:
        return self.n_samples * 1000 // RATE


class Conversation:
    """Add, show, shorten and remove items, and tell the client of it."""

    def __init__(self, outbox: Outbox, *, keep_audio_s: float) -> None:
        self.id = outbox.ids.new("conv")
        self.entries: list[Entry] = []
        self._outbox = outbox
        self._keep_samples = int(keep_audio_s * RATE)
        self._size = 0

    def find(self, item_id: object) -> Entry | None:
        """Return the entry with this id, the latest if a client used an id twice."""
        return next((entry for entry in reversed(self.entries) if entry.item["id"] == item_id), None)

    def has_call(self, call_id: str) -> bool:
        return any(entry.item["type"] == "function_call" and entry.item["call_id"] == call_id for entry in self.entries)

    @property
    def last_id(self) -> str | None:
        return self.entries[-1].item["id"] if self.entries else None

    @property
    def has_assistant_audio(self) -> bool:
        return any(entry.item.get("role") == "assistant" and entry.n_samples for entry in self.entries)

    def place(self, previous_item_id: object) -> int:
        """Return the index at which an item goes that is to follow ``previous_item_id``.

        Absent, null and ``""`` mean the end, ``"root"`` the beginning.
        """
        if previous_item_id in (None, ""):
            return len(self.entries)
        if previous_item_id == "root":
            return 0
        for i in reversed(range(len(self.entries))):
            if self.entries[i].item["id"] == previous_item_id:
                return i + 1
        raise Refusal(
            f"Error adding item: the previous item with id '{previous_item_id}' does not exist.",
            code="item_create_invalid_previous_item_id",
        )

    def check_room(self, item: dict[str, Any]) -> None:
        """Refuse a client's item that would fill the memory.

        Raises:
            Refusal: the conversation holds too much.
        """
        if self._size + _size(item) > _MOST_CHARACTERS:
            raise Refusal(
                f"The conversation is above {_MOST_CHARACTERS} characters with this item: delete others first.",
                code="conversation_too_large",
            )

    def add(self, entry: Entry, at: int | None = None, *, is_done: bool = True) -> None:
        """Insert an entry, at the end by default, and send ``added``, and ``done`` unless it is still in progress."""
        index = len(self.entries) if at is None else at
        self.entries.insert(index, entry)
        entry.size = _size(entry.item)
        self._size += entry.size
        previous = self.entries[index - 1].item["id"] if index else None
        shown = copy.deepcopy(entry.item)
        self._outbox.event("conversation.item.added", previous_item_id=previous, item=shown)
        if is_done:
            self._outbox.event("conversation.item.done", previous_item_id=previous, item=copy.deepcopy(shown))
        self._let_go()

    def done(self, entry: Entry) -> None:
        """Send ``done`` for an item of the model's.

        Its ``previous_item_id`` is null where the item follows the conversation's very first one, as in every
        recorded session; take the order from ``added``.
        """
        index = next((i for i, each in enumerate(self.entries) if each is entry), None)
        if index is None:
            return  # deleted while it was being made
        previous = self.entries[index - 1].item["id"] if index > 1 else None
        self._outbox.event("conversation.item.done", previous_item_id=previous, item=copy.deepcopy(entry.item))
        self._let_go()

    def delete(self, item_id: object) -> Entry:
        entry = self._must_find(item_id, "delete", "deleting")
        self.entries.remove(entry)
        self._size -= entry.size
        self._outbox.event("conversation.item.deleted", item_id=item_id)
        return entry

    def retrieve(self, item_id: object) -> None:
        """Send the item with its sound, as far as that is still kept."""
        entry = self._must_find(item_id, "retrieve", "retrieving")
        item = copy.deepcopy(entry.item)
        for part in item.get("content", ()):
            if part["type"] in ("input_audio", "output_audio") and entry.samples is not None:
                part["audio"] = pybase64.b64encode(entry.samples.tobytes()).decode()
            if part["type"] == "input_audio":
                part["transcript"] = entry.transcript
        self._outbox.event("conversation.item.retrieved", item=item)

    def truncate(self, item_id: object, content_index: int, audio_end_ms: int) -> None:
        """Cut an item of assistant audio; its transcript goes, since nobody can say where it would end."""
        entry = self._must_find(item_id, "truncate", "truncating")
        if entry.item.get("role") != "assistant" or not entry.n_samples:
            raise Refusal("Only model output audio messages can be truncated", code=None)
        if content_index != 0:
            raise out_of_range("content_index", content_index, "0")
        if audio_end_ms > entry.audio_ms:
            raise Refusal(
                f"Audio content of {entry.audio_ms}ms is already shorter than {audio_end_ms}ms",
                code="invalid_value",
            )
        entry.n_samples = audio_end_ms * RATE // 1000
        if entry.samples is not None:
            entry.samples = entry.samples[: entry.n_samples]
        for part in entry.item["content"]:
            part.pop("transcript", None)
        self._outbox.event(
            "conversation.item.truncated", item_id=item_id, content_index=content_index, audio_end_ms=audio_end_ms
        )

    def _must_find(self, item_id: object, verb: str, doing: str) -> Entry:
        entry = self.find(item_id)
        if entry is None:
            raise Refusal(
                f"Error {doing} item: the item with id '{item_id}' does not exist.",
                code=f"item_{verb}_invalid_item_id",
            )
        return entry

    def _let_go(self) -> None:
        """Drop the sound of the oldest items beyond what is to be kept."""
        room = self._keep_samples
        for entry in reversed(self.entries):
            if entry.samples is not None:
                room -= len(entry.samples)
                if room < 0:
                    entry.samples = None


def _size(item: dict[str, Any]) -> int:
    """Return about how many characters an item takes to hold, its sound apart."""
    texts: list[Any] = [item.get("arguments"), item.get("output")]
    for part in item.get("content", ()):
        texts += (part.get("text"), part.get("transcript"), part.get("image_url"))
    return _ITEM_ITSELF + sum(len(text) for text in texts if isinstance(text, str))


def joined(pieces: list[Samples]) -> Samples:
    """Put stretches of sound together."""
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
