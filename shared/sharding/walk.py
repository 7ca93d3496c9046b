"""A job that visits every slot, one after the other, again and again: for what has to be cleaned up
some day and needs no index over all slots.

Every process walks for itself, from a slot of its own choice, so the work must bear being done
twice. A slot whose shard is down is left for the next round.
"""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import structlog

from shared.sharding.errors import ShardError
from shared.sharding.ids import Slot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from shared.sharding.shards import Shards

__all__ = ["SlotWalk"]

_log = structlog.get_logger(__name__)


class SlotWalk:
    """Runs ``work(slot)`` for all slots once in every ``period`` seconds, evenly spread.

    ``name`` is for the log. What ``work`` raises is logged, and the walk goes on.
    """

    def __init__(
        self,
        name: str,
        shards: Shards,
        work: Callable[[Slot], Awaitable[object]],
        *,
        period: float = 3600.0,
    ) -> None:
        self._slots = shards.topology.slots
        self._work = work
        self._pause = period / self._slots
        self._task: asyncio.Task[None] | None = None
        self._log = _log.bind(job=name)

    async def start(self) -> None:
        """Begin to walk."""
        self._task = asyncio.create_task(self._run(), name="slot-walk")

    async def stop(self) -> None:
        """Stop at once; what is under way is rolled back."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def walk(self, *, pause: float = 0.0) -> None:
        """One round; ``pause`` seconds before each slot."""
        first = random.randrange(self._slots)  # noqa: S311 - spreads work, protects nothing
        skipped = 0
        for number in range(self._slots):
            await asyncio.sleep(pause)
            try:
                await self._work(Slot((first + number) % self._slots))
            except ShardError:
                skipped += 1
            except Exception:  # noqa: BLE001 - logged; other slots are not to suffer from it
                self._log.exception("slot not done", slot=(first + number) % self._slots)
        if skipped:
            self._log.warning("slots skipped, as their shards are down", slots=skipped)

    async def _run(self) -> None:
        while True:
            await self.walk(pause=self._pause)
