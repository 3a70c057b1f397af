"""Keep a live replica of the conversation."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, KeysView, Mapping
from typing import Any

from ..handlers import Metadata, MetadataKey, for_types
from ..state.conversation import CHANGES, Conversation, apply, apply_client
from ..state.items import Item
from ..state.kept_audio import KeptAudio
from ..state.reading import read_int, read_text
from ..state.responses import Response
from ..state.transcript import transcript
from .delta_bytes import delta_bytes

_logger = logging.getLogger(__name__)

ITEM: MetadataKey[Item] = MetadataKey("item")
"""The item that a server event is about; set by ``TrackConversation``."""

OnEvicted = Callable[[Item], object]
"""Is given an item that is no longer kept."""


class TrackConversation:
    """Know the conversation: its items in the server's order, with the text or transcript of each as it grows.

    Hook both handlers. Items are updated in place, and an event costs the same in a long conversation as in a short
    one. Events are not kept.
    """

    def __init__(
        self, *, keep_items: int = 2000, keep_audio_s: float = 0, on_evicted: Iterable[OnEvicted] = ()
    ) -> None:
        """Track a new conversation.

        Args:
            keep_items: how many items are kept; above that the oldest leave.
            keep_audio_s: how many seconds of the assistant's latest sound are kept; none by default.
            on_evicted: are called, in order, with each item that leaves.

        Raises:
            ValueError: ``keep_items`` is below 1, or ``keep_audio_s`` below 0.
        """
        self._state = Conversation(keep_items=keep_items)
        self._kept_audio = KeptAudio(keep_audio_s) if keep_audio_s else None
        self._on_evicted = tuple(on_evicted)

    @property
    def items(self) -> tuple[Item, ...]:
        """The items of the conversation in the server's order."""
        return self._state.items

    def item(self, item_id: str) -> Item | None:
        """Return an item by its id; None if it is not known, or deleted.

        An item of which only pieces have come, and one of an out-of-band response, are found here although they are not
        among ``items``.
        """
        return self._state.item(item_id)

    @property
    def in_progress(self) -> tuple[Item, ...]:
        """The items of the conversation that are being made, in order."""
        return tuple(item for item in self._state.items if item.status == "in_progress")

    @property
    def truncated(self) -> tuple[Item, ...]:
        """The items of the conversation that were truncated, in order."""
        return tuple(item for item in self._state.items if item.truncated_ms is not None)

    @property
    def out_of_band(self) -> tuple[Item, ...]:
        """The items of responses that write to no conversation, in order of arrival."""
        return self._state.out_of_band

    @property
    def deleted(self) -> KeysView[str]:
        """The ids of deleted items."""
        return self._state.deleted

    @property
    def open_responses(self) -> Mapping[str, Response]:
        """The responses that are not done, by their id."""
        return self._state.open_responses

    @property
    def state(self) -> Conversation:
        """The replica itself."""
        return self._state

    def transcript(self) -> str:
        """Return the whole conversation in readable lines, as far as it was heard."""
        return transcript(self._state.items)

    def print_conversation(self, print_fn: Callable[[str], object] = print) -> None:
        """Print the whole conversation, line by line."""
        for line in self.transcript().splitlines():
            print_fn(line)

    def audio(self, item_id: str) -> bytes:
        """Return what is kept of an item's sound, as it was encoded; see ``keep_audio_s``."""
        return b"" if self._kept_audio is None else self._kept_audio.of(item_id)

    def set_heard_text(self, item_id: str, text: str | None) -> None:
        """Tell what was heard of an item; None takes it back. Nothing happens if the item is not known."""
        item = self._state.item(item_id)
        if item is not None:
            item.told_heard_text = text

    @for_types(CHANGES)
    def server_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Watch the events that change the conversation."""
        item, evicted, oddity = apply(self._state, event)
        if item is not None:
            metadata[ITEM] = item
            if self._kept_audio is not None and read_text(event, "type") == "response.output_audio.delta":
                self._keep_audio(self._kept_audio, item, event, metadata)
        if oddity is not None:
            _logger.warning("%s It stands at the end until that one comes.", oddity)
        for gone in evicted:
            for tell in self._on_evicted:
                tell(gone)
        return event, metadata

    @for_types(["conversation.item.truncate"])
    def client_event_handler(self, event: Any, metadata: Metadata, connection: object) -> tuple[Any, Metadata]:
        """Watch ``conversation.item.truncate``."""
        apply_client(self._state, event)
        return event, metadata

    def _keep_audio(self, kept: KeptAudio, item: Item, event: Any, metadata: Metadata) -> None:
        try:
            data = delta_bytes(event, metadata)
        except ValueError as cause:
            _logger.warning("Sound of the item %s was not kept, for it is not base64: %s.", item.id, cause)
            return
        kept.add(item.id, data, item.part(read_int(event, "content_index")).audio_format)
