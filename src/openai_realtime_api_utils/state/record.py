"""Hold a conversation as far as it is known: what is in it, what is apart, what is gone; all of it bounded."""

from __future__ import annotations

from collections.abc import KeysView, Mapping
from types import MappingProxyType
from typing import Any

from ..audio.formats import PCM_24K
from .items import Item
from .responses import Response
from .timeline import Timeline

REMEMBERED = 256
"""How many ids that are not in the conversation, and responses that are done, are remembered of each kind at most; the
oldest are forgotten."""


class Conversation:
    """Be a live replica of the server's conversation. ``conversation.apply`` changes it; everyone else reads.

    Items are updated in place: an item that was asked for once shows what came later, too.
    """

    def __init__(self, *, keep_items: int = 2000) -> None:
        if keep_items < 1:
            raise ValueError(f"keep_items is {keep_items}, but at least 1 item must be kept: the one being spoken.")
        self.keep_items = keep_items
        self.audio_format = PCM_24K
        """How the session's output is encoded."""
        self._timeline = Timeline()
        self._in_order: tuple[Item, ...] | None = None  # of the timeline, until that changes
        self._items: dict[str, Item] = {}
        self._held: dict[str, Item] = {}  # heard of, but not in the conversation yet
        self._out_of_band: dict[str, Item] = {}
        self._deleted: dict[str, None] = {}
        self._evicted: dict[str, None] = {}
        self._truncating: dict[str, int] = {}
        self._open: dict[str, Response] = {}
        self._closed: dict[str, Response] = {}
        self.grew_last: Any = None
        """For those who change parts: which grew last, for it is likely to grow next; None where that is not known."""

    # What is true.

    @property
    def items(self) -> tuple[Item, ...]:
        """The items of the conversation in the server's order."""
        if self._in_order is None:
            self._in_order = tuple(self._items[id_] for id_ in self._timeline)
        return self._in_order

    def item(self, item_id: str) -> Item | None:
        """Return an item by its id: in the conversation, apart from it, or on its way into it; None if unknown."""
        return self._items.get(item_id) or self._held.get(item_id) or self._out_of_band.get(item_id)

    @property
    def out_of_band(self) -> tuple[Item, ...]:
        """The items of responses that write to no conversation, in order of arrival."""
        return tuple(self._out_of_band.values())

    @property
    def open_responses(self) -> Mapping[str, Response]:
        """The responses that are not done, by their id; a live view."""
        return MappingProxyType(self._open)

    def response(self, response_id: str) -> Response | None:
        """Return a response by its id: an open one, or one of the last that are done."""
        return self._open.get(response_id) or self._closed.get(response_id)

    @property
    def deleted(self) -> KeysView[str]:
        """The ids of deleted items, the latest last; a live view."""
        return self._deleted.keys()

    # What changes it.

    def reach(self, item_id: str, *, revive: bool = False) -> Item | None:
        """Return an item, held outside of the conversation if nothing was heard of it before.

        Args:
            item_id: its id.
            revive: whether this is news of a new item, so that it may bear the id of a deleted one.

        Returns:
            The item; None for one that is gone, so that what comes late does not bring it back.
        """
        if revive:
            self._deleted.pop(item_id, None)
        item = self._items.get(item_id) or self.item(item_id)
        if item is None and item_id not in self._deleted and item_id not in self._evicted:
            item = self._held[item_id] = Item(item_id)
            _bound(self._held, REMEMBERED)
        return item

    def is_placed(self, item: Item) -> bool:
        """Tell whether an item is where it belongs, if only for the time being."""
        return item.id in self._items or item.id in self._out_of_band

    def set_apart(self, item: Item) -> None:
        """Move an item out of band."""
        if not item.is_out_of_band:
            self._take_out(item)
            item.is_out_of_band = True
            self._out_of_band[item.id] = item

    def append(self, item: Item) -> None:
        """Put an item at the end, unless it stands somewhere already."""
        if not self.is_placed(item):
            self._timeline.append(item.id)
            self._moved(item)

    def insert_first(self, item: Item) -> None:
        """Put an item at the beginning."""
        self._timeline.insert_first(item.id)
        self._moved(item)

    def insert_after(self, item: Item, previous: str) -> bool:
        """Put an item after another; tell whether that one was known."""
        if previous in self._evicted:
            self.insert_first(item)  # older than all that is kept
            return True
        is_known = self._timeline.insert_after(item.id, previous)
        self._moved(item)
        return is_known

    def delete(self, item_id: str) -> Item | None:
        """Take an item out for good; return it if it was known."""
        item = self.item(item_id)
        if item is not None:
            self._take_out(item)
        self._deleted[item_id] = None
        _bound(self._deleted, max(self.keep_items, REMEMBERED))
        return item

    def evict(self) -> tuple[Item, ...]:
        """Take out the oldest items above ``keep_items``, in the conversation and apart."""
        if len(self._items) <= self.keep_items and len(self._out_of_band) <= self.keep_items:
            return ()
        gone: list[Item] = []
        while len(self._items) > self.keep_items and (first := self._timeline.first) is not None:
            gone.append(self._items[first])
            self._take_out(gone[-1])
        while len(self._out_of_band) > self.keep_items:
            gone.append(next(iter(self._out_of_band.values())))
            self._take_out(gone[-1])
        self._evicted.update(dict.fromkeys(item.id for item in gone))
        _bound(self._evicted, REMEMBERED)
        return tuple(gone)

    def open(self, response_id: str) -> Response:
        """Return a response; it is opened if nothing was heard of it before."""
        response = self.response(response_id)
        if response is None:
            response = self._open[response_id] = Response(response_id, audio_format=self.audio_format)
            self.grew_last = None
        return response

    def close(self, response: Response) -> None:
        """Take a response off the open ones."""
        self._open.pop(response.id, None)
        self._closed[response.id] = response
        _bound(self._closed, min(self.keep_items, REMEMBERED))

    def expect_truncation(self, item_id: str, audio_end_ms: int) -> None:
        """Remember where the client asked to cut an item."""
        self._truncating[item_id] = audio_end_ms
        _bound(self._truncating, REMEMBERED)

    def expected_truncation(self, item_id: str) -> int | None:
        """Return where the client asked to cut an item, once."""
        return self._truncating.pop(item_id, None)

    def _moved(self, item: Item) -> None:
        self._held.pop(item.id, None)
        self._items[item.id] = item
        self._in_order = None

    def _take_out(self, item: Item) -> None:
        self.grew_last = None
        self._held.pop(item.id, None)
        self._out_of_band.pop(item.id, None)
        if self._items.pop(item.id, None) is not None:
            self._timeline.remove(item.id)
            self._in_order = None


def _bound(remembered: dict[str, Any], limit: int) -> None:
    if len(remembered) > limit:
        del remembered[next(iter(remembered))]
