"""A least-recently-used cache bounded in entries and in total weight.

Used for what is derived from request texts, which clients choose: neither many short texts nor a
few huge ones may make it grow. Everything runs on the event loop, without an await between a miss
and its ``put``; so a miss is computed once.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

__all__ = ["LruCache"]

K = TypeVar("K")
V = TypeVar("V")


class LruCache(Generic[K, V]):
    """Maps keys to values, forgetting the least recently used ones beyond its bounds."""

    __slots__ = ("_entries", "_max_entries", "_max_weight", "_weight")

    def __init__(self, *, max_entries: int, max_weight: int) -> None:
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
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
        return entry[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep a value, in place of the least recently used ones; one that is too heavy alone is
        not kept.
        """
        replaced = self._entries.pop(key, None)
        if replaced is not None:
            self._weight -= replaced[1]
        if weight > self._max_weight:
            return
        self._entries[key] = (value, weight)
        self._weight += weight
        while len(self._entries) > self._max_entries or self._weight > self._max_weight:
            _, (_, dropped) = self._entries.popitem(last=False)
            self._weight -= dropped
