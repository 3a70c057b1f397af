"""Say what a stored conversation is: records, one after the other, that add up to what is needed to go on elsewhere.

Every record is a JSON object with ``v``, the version of this format, and ``kind``:

- ``session``: ``id`` is the session that goes on from here.
- ``config``: ``session`` is the configuration that the client asked for and the server took, without secrets.
- ``item``: ``item`` as ``conversation.item.create`` takes it, standing after ``after`` (null: first). It replaces what
  was told of the same id before, which keeps its place where ``after`` is absent.
- ``gone``: ``id`` is no longer in the conversation.

Kinds and fields that are not known here are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

from .reading import read, read_id
from .restore import ItemParam, with_lost_outputs
from .timeline import Timeline

VERSION = 1

Record: TypeAlias = dict[str, Any]
"""One line of a store."""

_SECRET_NAMES = frozenset({"authorization", "headers", "api_key", "client_secret"})


class Stored:
    """Be what the records so far add up to."""

    def __init__(self, records: Iterable[Mapping[str, Any]] = ()) -> None:
        self.session_id: str | None = None
        self.config: dict[str, Any] = {}
        self._items: dict[str, ItemParam] = {}
        self._order = Timeline()
        for record in records:
            self.add(record)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to go on with."""
        return not self._items and not self.config

    @property
    def items(self) -> list[ItemParam]:
        """The items in order; a call that nobody will answer any more has an output that says so."""
        return with_lost_outputs([self._items[item_id] for item_id in self._order])

    @property
    def is_owed(self) -> bool:
        """Whether the user's last turn, or the output of a function, has no answer."""
        last = next(reversed(self.items), None)
        return last is not None and (last.get("role") == "user" or last["type"] == "function_call_output")

    def add(self, record: Mapping[str, Any]) -> None:
        """Take one more record."""
        match record.get("kind"):
            case "session":
                self.session_id = read_id(record, "id")
            case "config":
                told = record.get("session")
                self.config = cast("dict[str, Any]", told) if isinstance(told, dict) else self.config
            case "item":
                self._add_item(record)
            case "gone":
                self._remove(read_id(record, "id") or "")
            case _:
                pass

    def records(self) -> list[Record]:
        """Return the fewest records that add up to the same."""
        records = [record("session", id=self.session_id), record("config", session=self.config)]
        previous: str | None = None
        for item_id in self._order:
            records.append(record("item", item=self._items[item_id], after=previous))
            previous = item_id
        return records

    def forget_oldest(self, keep: int) -> None:
        """Drop the oldest items above ``keep``."""
        while len(self._items) > keep and (first := self._order.first) is not None:
            self._remove(first)

    def _add_item(self, told: Mapping[str, Any]) -> None:
        item = told.get("item")
        item_id = read_id(item, "id")
        if item_id is None or not isinstance(item, dict) or not read_id(cast("dict[str, Any]", item), "type"):
            return
        self._items[item_id] = cast("dict[str, Any]", item)
        if "after" not in told:
            if item_id not in self._order:
                self._order.append(item_id)
            return
        after = read(told, "after")
        if after is None:
            self._order.insert_first(item_id)
        else:
            self._order.insert_after(item_id, str(after))

    def _remove(self, item_id: str) -> None:
        self._items.pop(item_id, None)
        self._order.remove(item_id)


def record(kind: str, **fields: Any) -> Record:
    """Return a record of this version."""
    return {"v": VERSION, "kind": kind, **fields}


def without_secrets(value: Any) -> Any:
    """Return a configuration without what must not be stored: keys that MCP servers are called with."""
    if isinstance(value, dict):
        inside = cast("dict[str, Any]", value).items()
        return {key: without_secrets(inner) for key, inner in inside if key not in _SECRET_NAMES}
    if isinstance(value, list):
        return [without_secrets(inner) for inner in cast("list[Any]", value)]
    return value
