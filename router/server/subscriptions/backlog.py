"""The bounded queue between what happens and a client that takes it slowly.

Producers put without waiting; one consumer takes in order. A message that finds others waiting and
does not fit beside them is refused, never dropped: the caller then ends what it serves and says
so. One alone is always taken: a single answer may be larger than the bound.
"""

from __future__ import annotations

import asyncio
from collections import deque
from sys import getsizeof

__all__ = ["Backlog"]

_SLOT_BYTES = 16  # what a place in the queue costs beside the text


class Backlog:
    """Texts on their way to one client; ``limit`` in bytes of memory."""

    __slots__ = ("_bytes", "_limit", "_texts", "_waiter", "_woken")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._texts: deque[str] = deque()
        self._bytes = 0
        self._woken = False
        self._waiter: asyncio.Future[None] | None = None  # not an Event: a third of the memory

    def put(self, text: str) -> bool:
        """Add a text; False when there is no room for it."""
        size = getsizeof(text) + _SLOT_BYTES
        if self._texts and self._bytes + size > self._limit:
            return False
        self._texts.append(text)
        self._bytes += size
        self.wake()
        return True

    def take(self) -> str | None:
        """Return the oldest text, None when there is none."""
        if not self._texts:
            return None
        text = self._texts.popleft()
        self._bytes -= getsizeof(text) + _SLOT_BYTES
        return text

    def clear(self) -> None:
        """Give up what waits."""
        self._texts.clear()
        self._bytes = 0

    def wake(self) -> None:
        """Let the consumer look again although nothing was put."""
        self._woken = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        """Wait for the next :meth:`put` or :meth:`wake`, one since the last wait included."""
        if not self._woken:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        self._woken = False
