"""Write down what is needed to go on elsewhere, as the conversation goes."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

from ..events.redact import redact_text
from ..state.items import Item
from ..state.reading import read, read_id
from ..state.restore import ItemParam, restored
from ..state.stored import Record, Stored, record, without_secrets
from .frames import SESSION_REPLACED
from .views import ConfigView, ConversationView, HeardView

_logger = logging.getLogger(__name__)

_REMEMBERED = 512
"""How many items' last records are remembered at most, so that none is written twice."""

_WAITING = 4_000
"""How many records wait for a store that fails; the oldest are dropped."""

_CONCERNED = frozenset(
    {
        "conversation.item.added",
        "conversation.item.created",
        "conversation.item.done",
        "conversation.item.deleted",
        "conversation.item.truncated",
        "conversation.item.input_audio_transcription.completed",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.done",
        "session.created",
        "session.updated",
        SESSION_REPLACED,
    }
)
"""After these events there may be something to write."""


class Store(Protocol):
    """Keep the records of one conversation. Create what it keeps them in for its owner only."""

    async def load(self) -> Sequence[Record]:
        """Return all records, in the order in which they were added; none if there is no such conversation yet."""
        ...

    async def append(self, records: Sequence[Record], /, *, is_turn_end: bool) -> None:
        """Add records to the end.

        Args:
            records: at least one.
            is_turn_end: whether a turn is complete: a moment at which to make sure.
        """
        ...

    async def close(self) -> None:
        """Let go of what it holds; it may be used again."""
        ...


class Journal:
    """Know what was written of a conversation, and write the rest."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._dirty: dict[str, None] = {}
        self._sounding: dict[str, None] = {}
        self._gone: list[str] = []
        self._is_turn_end = False
        self._is_config_due = False
        self._written: dict[str, ItemParam] = {}
        self._config: Any = {}
        self._session_id: str | None = None
        self._unsaved: list[Record] = []
        self._has_failed = False

    async def load(self) -> Stored | None:
        """Return the conversation that is to go on; None where it begins."""
        stored = Stored(await self._store.load())
        self._config, self._session_id = stored.config, stored.session_id
        for item in stored.items:
            self._written[item["id"]] = item
        return None if stored.is_empty else stored

    async def close(self) -> None:
        """Let go of the store."""
        await self._store.close()

    @staticmethod
    def concerns(event_type: str) -> bool:
        """Tell whether something may have to be written after an event of this type."""
        return event_type in _CONCERNED

    def note(self, event: dict[str, Any]) -> None:
        """Take an event that is about to be handled."""
        event_type = event.get("type")
        ids = [read_id(event, "item_id"), read_id(event.get("item"), "id")]
        if event_type == "response.done":
            self._is_turn_end = True
            ids += [read_id(item, "id") for item in read(event.get("response"), "output") or ()]
        elif event_type in ("session.updated", "session.created", SESSION_REPLACED):
            self._is_config_due = True
        elif event_type == "conversation.item.deleted":
            self._gone += [item_id for item_id in ids if item_id]
            return
        self._dirty.update(dict.fromkeys(item_id for item_id in ids if item_id))

    def note_heard(self) -> bool:
        """Take that time has passed; tell whether more may have been heard of what sounds."""
        self._dirty.update(self._sounding)
        return bool(self._sounding)

    async def write(
        self, conversation: ConversationView, config: ConfigView, session_id: str | None, heard: HeardView | None
    ) -> None:
        """Write what the events noted so far have changed. A store that fails is told once, and tried again."""
        if self._dirty or self._gone or self._is_config_due:
            self._unsaved += self._news(conversation, config, session_id, heard)
            del self._unsaved[:-_WAITING]
        if not self._unsaved:
            return
        records, is_turn_end = self._unsaved, self._is_turn_end
        try:
            await self._store.append(records, is_turn_end=is_turn_end)
        except Exception as error:  # noqa: BLE001  (a store must not end a conversation)
            if not self._has_failed:
                _logger.warning("The conversation cannot be stored; it is tried again: %s", redact_text(str(error)))
            self._has_failed = True
            return
        self._unsaved, self._is_turn_end, self._has_failed = [], False, False

    def _news(
        self, conversation: ConversationView, config: ConfigView, session_id: str | None, heard: HeardView | None
    ) -> list[Record]:
        records: list[Record] = []
        if session_id is not None and session_id != self._session_id:
            self._session_id = session_id
            records.append(record("session", id=session_id))
        taken = without_secrets(config.accepted)
        if taken and taken != self._config:
            self._config = taken
            records.append(record("config", session=taken))
        for item_id in self._gone:
            self._written.pop(item_id, None)
            self._sounding.pop(item_id, None)
            records.append(record("gone", id=item_id))
        for item_id in self._dirty:
            records += self._of_item(conversation, item_id, heard)
        self._dirty.clear()
        self._gone.clear()
        self._is_config_due = False
        return records

    def _of_item(self, conversation: ConversationView, item_id: str, heard: HeardView | None) -> list[Record]:
        item = conversation.item(item_id)
        if item is None or item.is_out_of_band:
            return []
        words = item.heard_text
        if heard is not None and item.audio_ms > 0 and item.told_heard_text is None:
            sounded = heard.heard_text(item_id)
            if heard.is_speaking and (item_id in self._sounding or item_id not in self._written):
                words = sounded
            if heard.is_speaking and len(words) < len(item.heard_text):
                self._sounding[item_id] = None
            else:
                self._sounding.pop(item_id, None)
        param = self._param(item, words)
        if param is None or self._written.get(item_id) == param:
            return []
        is_new = item_id not in self._written
        self._written[item_id] = param
        self._forget_oldest(conversation)
        return [record("item", item=param, **({"after": _before(conversation, item_id)} if is_new else {}))]

    def _forget_oldest(self, conversation: ConversationView) -> None:
        """Remember no more than the conversation does: what has left it is not written again."""
        oldest = next(iter(self._written))
        while len(self._written) > _REMEMBERED or conversation.item(oldest) is None:
            del self._written[oldest]
            oldest = next(iter(self._written))

    @staticmethod
    def _param(item: Item, words: str) -> ItemParam | None:
        if item.type == "function_call_output":  # its call has a record of its own
            told = {"call_id": item.call_id, "output": item.output or ""}
            return {"id": item.id, "type": item.type, **told} if item.call_id else None
        found = restored([item], heard=lambda _: words)
        return found[0].param if found else None


def _before(conversation: ConversationView, item_id: str) -> str | None:
    """Return the id that stands before an item, looked for from the end, where new items are."""
    items = conversation.items
    for index in range(len(items) - 1, -1, -1):
        if items[index].id == item_id:
            return items[index - 1].id if index else None
    return items[-1].id if items else None
