"""How many connections somebody may have at a time, in this process."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ConnectionLimit"]


class ConnectionLimit:
    """Counts by key; without a maximum nothing is counted."""

    def __init__(self, maximum: int | None) -> None:
        self._maximum = maximum
        self._counts: dict[str, int] = {}

    @property
    def keys(self) -> int:
        """How many keys have connections."""
        return len(self._counts)

    @contextmanager
    def hold(self, key: str) -> Iterator[bool]:
        """Count one more while the block runs; False where that would be one too many."""
        if self._maximum is None:
            yield True
            return
        count = self._counts.get(key, 0)
        if count >= self._maximum:
            yield False
            return
        self._counts[key] = count + 1
        try:
            yield True
        finally:
            left = self._counts[key] - 1
            if left:
                self._counts[key] = left
            else:
                del self._counts[key]
