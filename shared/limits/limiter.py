"""Counts, and refuses what comes too often.

The counting is that of the library ``limits``: a sliding window made of two counters, which takes
the same room however many are allowed. When Redis does not answer nothing is refused, as the
service must not stand still for want of a counter; that is logged once and counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from typing import TYPE_CHECKING

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from prometheus_client import Counter
from redis.exceptions import RedisError

from shared.limits.errors import RateLimitedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from limits.aio.storage import Storage

    from shared.cache import RedisClient
    from shared.limits.rates import RateLimit

__all__ = ["RateLimiter"]

_log = structlog.get_logger(__name__)

_REFUSED = Counter(
    "socialnet_rate_limited_total", "What was refused because it came too often.", ["limit"]
)
_FAILURES = Counter(
    "socialnet_rate_limit_failures_total",
    "What was let through uncounted, as Redis did not answer.",
    ["limit"],
)

_ANSWER_SECONDS = 0.5
_PAUSE_SECONDS = 5.0  # after a failure Redis is left alone: nobody else waits for it in vain


class RateLimiter:
    """Keeps ``RateLimit``s. Made by ``in_memory`` (one process) or ``in_redis`` (all of them)."""

    def __init__(self, storage: Storage, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._window = SlidingWindowCounterRateLimiter(storage)
        self._clock = clock
        self._paused_until = float("-inf")
        self._failing = False

    @classmethod
    def in_memory(cls) -> Self:
        """A limiter whose counters are this process's own."""
        return cls(MemoryStorage())

    @classmethod
    def in_redis(cls, client: RedisClient) -> Self:
        """A limiter that shares its counters with all others on the same Redis. The client stays
        its owner's to close.
        """
        storage = RedisStorage(
            "redis://",
            implementation="redispy",
            key_prefix="limits",
            connection_pool=client.connection_pool,  # type: ignore[arg-type]  # theirs is too narrow
        )
        return cls(storage)

    async def hit(self, limit: RateLimit | None, key: str | None) -> None:
        """Count one more for ``key``. A limit that is off, or a key that is not known, counts
        nothing.

        Raises:
            RateLimitedError: that would be more than the limit allows; it has not been counted.
        """
        if limit is None or key is None or self._clock() < self._paused_until:
            return
        item = RateLimitItemPerSecond(limit.amount, limit.seconds, namespace=limit.name)
        # keys may be e-mail addresses and phone numbers, of any length: Redis gets only hashes
        counter = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                retry_after = await self._count(item, counter)
        except (RedisError, OSError, TimeoutError) as error:
            self._pause(limit, error)
            return
        if self._failing:
            self._failing = False
            _log.info("rate limits: Redis answers again")
        if retry_after is not None:
            _REFUSED.labels(limit.name).inc()
            raise RateLimitedError(retry_after)

    async def _count(self, item: RateLimitItemPerSecond, counter: str) -> int | None:
        """None when it was counted, else in how many seconds it may be."""
        if await self._window.hit(item, counter):
            return None
        stats = await self._window.get_window_stats(item, counter)
        return min(max(math.ceil(stats.reset_time - time.time()), 1), item.get_expiry())

    def _pause(self, limit: RateLimit, error: Exception) -> None:
        _FAILURES.labels(limit.name).inc()
        self._paused_until = self._clock() + _PAUSE_SECONDS
        if not self._failing:
            self._failing = True
            _log.warning("rate limits: Redis failed", error=type(error).__name__)
