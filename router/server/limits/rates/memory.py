"""Buckets in this process: with several workers, each has its own."""

from __future__ import annotations

from collections import OrderedDict
from time import monotonic
from typing import TYPE_CHECKING

from router.server.limits.rates.buckets import Verdict, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from router.server.limits.rates.buckets import Draw

__all__ = ["MemoryStore"]


class MemoryStore:
    """Keeps at most ``max_buckets``; beyond, those that nobody has asked for the longest time are
    forgotten, which makes them full.
    """

    def __init__(self, max_buckets: int, clock: Callable[[], float] = monotonic) -> None:
        self._max_buckets = max_buckets
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    async def take(self, draws: Sequence[Draw]) -> Verdict:
        """Take from all buckets, or from none where one has too little."""
        now = self._clock()
        known = self._full_at
        missing = tuple([max(known.get(draw.bucket, now) - now, 0.0) for draw in draws])
        granted = decide(draws, missing)
        for draw, before in zip(draws, missing, strict=True):
            if granted:
                known[draw.bucket] = now + before + draw.need
            if draw.bucket in known:
                known.move_to_end(draw.bucket)
        if granted:
            while len(known) > self._max_buckets:
                known.popitem(last=False)
        return Verdict(granted, missing)

    async def aclose(self) -> None:
        """Forget all buckets."""
        self._full_at.clear()
