"""Keep ids in an order that is told as "this one comes after that one".

A doubly linked list in two dicts, so that no step costs more the longer the timeline is. None stands before the first
and after the last.
"""

from __future__ import annotations

from collections.abc import Iterator


class Timeline:
    """Order ids; each is there once.

    News may come out of order. Who names a predecessor that is not there yet stands at the end meanwhile, and follows
    it as soon as it comes, with everyone that was put right behind the one that waited.
    """

    def __init__(self) -> None:
        self._next: dict[str | None, str | None] = {None: None}
        self._previous: dict[str | None, str | None] = {None: None}
        self._named: dict[str, str] = {}  # id -> the predecessor it was told to have
        self._waiting: dict[str, list[str]] = {}  # a predecessor that is not there -> who named it, in order

    def __len__(self) -> int:
        return len(self._next) - 1

    def __contains__(self, id_: str) -> bool:
        return id_ in self._next

    def __iter__(self) -> Iterator[str]:
        id_ = self._next[None]
        while id_ is not None:
            yield id_
            id_ = self._next[id_]

    @property
    def first(self) -> str | None:
        """The id that nothing precedes."""
        return self._next[None]

    def insert_first(self, id_: str) -> None:
        """Put ``id_`` before all others, wherever it was."""
        self._put(id_, None)

    def append(self, id_: str) -> None:
        """Put ``id_`` after all others, wherever it was."""
        last = self._previous[None]
        if last != id_:
            self._put(id_, last)

    def insert_after(self, id_: str, previous: str) -> bool:
        """Put ``id_`` right after ``previous``, wherever it was.

        Returns:
            Whether ``previous`` is there; if not, ``id_`` stays where it was, else at the end, until it comes.
        """
        is_there = previous in self and previous != id_
        if is_there:
            self._put(id_, previous)
        elif id_ not in self:
            self.append(id_)
        else:
            self._forget_predecessor(id_)
        if previous != id_:
            self._named[id_] = previous
            if not is_there:
                self._waiting.setdefault(previous, []).append(id_)
        return is_there

    def remove(self, id_: str) -> None:
        """Take ``id_`` out; nothing happens if it is not there."""
        if id_ in self:
            self._cut(id_, id_)
            del self._next[id_], self._previous[id_]
            self._forget_predecessor(id_)

    def _put(self, id_: str, previous: str | None) -> None:
        if id_ in self:
            self._forget_predecessor(id_)
            self._move_run(id_, previous)
            return
        self._link(id_, id_, previous)
        for waiting in self._waiting.pop(id_, ()):
            self._move_run(waiting, id_)

    def _move_run(self, first: str, previous: str | None) -> None:
        """Move ``first``, and those that follow it because they named each other, to right after ``previous``."""
        last = first
        while (after := self._next[last]) is not None and after != previous and self._named.get(after) == last:
            last = after
        self._cut(first, last)
        self._link(first, last, previous)

    def _cut(self, first: str, last: str) -> None:
        before, after = self._previous[first], self._next[last]
        self._next[before], self._previous[after] = after, before

    def _link(self, first: str, last: str, previous: str | None) -> None:
        after = self._next[previous]
        self._next[previous], self._previous[first] = first, previous
        self._next[last], self._previous[after] = after, last

    def _forget_predecessor(self, id_: str) -> None:
        named = self._named.pop(id_, None)
        waiting = self._waiting.get(named, []) if named is not None else []
        if named is not None and id_ in waiting:  # it may have come, been followed, and gone since
            waiting.remove(id_)
            if not waiting:
                del self._waiting[named]
