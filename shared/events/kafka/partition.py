"""The messages of one partition on their way through the consumers.

Messages with the same key are handled one after the other, different keys at the same time, so an
entity whose event has to wait holds up nobody else. What may be committed is the offset of the
first unfinished message: after a crash everything from there on comes again, perhaps a second time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from aiokafka import ConsumerRecord

__all__ = ["PartitionWorker"]


class PartitionWorker:
    """Handles a partition while it is this process's.

    Args:
        handle: deals with one message; raises nothing.
        window: with so many messages unfinished there is no room for more.
        on_room: called when there is room again after there was none.
    """

    def __init__(
        self,
        handle: Callable[[ConsumerRecord], Awaitable[None]],
        *,
        window: int,
        on_room: Callable[[], None],
    ) -> None:
        self._handle = handle
        self._window = window
        self._on_room = on_room
        self._lanes: dict[bytes | None, deque[ConsumerRecord]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # in the order of the offsets, since that is the order in which they come
        self._unfinished: dict[int, None] = {}
        self._end: int | None = None
        self._full = False
        self._stopping = False

    @property
    def position(self) -> int | None:
        """The offset from which on not everything is finished; None before the first message."""
        return next(iter(self._unfinished), self._end)

    @property
    def is_full(self) -> bool:
        """Whether no more messages should be taken before ``on_room``."""
        return self._full

    def take(self, records: Sequence[ConsumerRecord]) -> None:
        """Begin to handle messages, which come in the order of their offsets."""
        for record in records:
            self._unfinished[record.offset] = None
            self._end = record.offset + 1
            lane = self._lanes.get(record.key)
            if lane is None:
                lane = self._lanes[record.key] = deque()
                task = asyncio.create_task(self._work(record.key, lane))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            lane.append(record)
        self._full = len(self._unfinished) >= self._window

    async def stop(self, grace: float) -> None:
        """Finish the messages under way, but for no longer than ``grace`` seconds; begin none."""
        self._stopping = True
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=grace)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _work(self, key: bytes | None, lane: deque[ConsumerRecord]) -> None:
        while lane and not self._stopping:
            record = lane.popleft()
            await self._handle(record)
            self._finished(record.offset)
        del self._lanes[key]

    def _finished(self, offset: int) -> None:
        del self._unfinished[offset]
        if self._full and len(self._unfinished) <= self._window // 2:
            self._full = False
            if not self._stopping:
                self._on_room()
