"""A least-recently-used cache bounded in entries and in total weight.

Used for what is derived from request texts, which clients choose: neither many short texts nor a
few huge ones may make it grow. Everything runs on the event loop, without an await between a miss
and its ``put``; so a miss is computed once.
"""

from __future__ import annotations

from collections import OrderedDict
from heapq import nlargest
from typing import Generic, TypeVar

__all__ = ["LruCache"]

K = TypeVar("K")
V = TypeVar("V")


class _Entry(Generic[V]):
    __slots__ = ("uses", "value", "weight")

    def __init__(self, value: V, weight: int) -> None:
        self.value = value
        self.weight = weight
        self.uses = 0


class LruCache(Generic[K, V]):
    """Maps keys to values, forgetting the least recently used ones beyond its bounds."""

    __slots__ = ("_entries", "_max_entries", "_max_weight", "_weight")

    def __init__(self, *, max_entries: int, max_weight: int) -> None:
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._max_entries = max_entries
        self._max_weight = max_weight
        self._weight = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the value and count it as used, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        entry.uses += 1
        return entry.value

    def hottest(self, count: int) -> list[K]:
        """Return the keys that were found most often since they were put, the first one first;
        among equals the lately used ones.
        """
        latest_first = reversed(self._entries.items())
        return [key for key, _ in nlargest(count, latest_first, key=lambda item: item[1].uses)]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep a value, in place of the least recently used ones; one that is too heavy alone is
        not kept.
        """
        replaced = self._entries.pop(key, None)
        if replaced is not None:
            self._weight -= replaced.weight
        if weight > self._max_weight:
            return
        self._entries[key] = _Entry(value, weight)
        self._weight += weight
        while len(self._entries) > self._max_entries or self._weight > self._max_weight:
            _, dropped = self._entries.popitem(last=False)
            self._weight -= dropped.weight
