"""Automatic persisted queries that all workers share, in Redis.

A convenience, never a dependency: what Redis does not answer in time is not there, and after a
failure it is left alone for a while.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RedisStore"]

_log = structlog.get_logger(__name__)

_PREFIX = "router:apq:"
_REST_SECONDS = 5.0


class RedisStore:
    """Texts by hash under ``router:apq:<hash>``, for ``ttl`` seconds after their last use.

    ``timeout`` in seconds is what a request waits at most; ``count`` is told ``store_error`` for
    each failure.
    """

    def __init__(self, url: str, *, ttl: int, timeout: float, count: Callable[[str], None]) -> None:
        self._redis: Redis = Redis.from_url(
            url, retry=Retry(NoBackoff(), 0), socket_connect_timeout=timeout
        )
        self._timeout = timeout
        self._ttl = ttl
        self._count = count
        self._resting_until = 0.0

    async def get(self, digest: str) -> str | None:
        """Return the text of a hash, None when it is not known or Redis does not answer."""
        if self._is_resting:
            return None
        try:
            async with asyncio.timeout(self._timeout):
                found = await self._redis.getex(_PREFIX + digest, ex=self._ttl)
            return found.decode() if isinstance(found, bytes) else found
        except (RedisError, OSError, TimeoutError, UnicodeDecodeError) as error:
            self._failed(error)
            return None

    async def put(self, digest: str, text: str) -> None:
        """Keep a text for all workers, if Redis answers."""
        if self._is_resting:
            return
        try:
            async with asyncio.timeout(self._timeout):
                await self._redis.set(_PREFIX + digest, text, ex=self._ttl)
        except (RedisError, OSError, TimeoutError) as error:
            self._failed(error)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    @property
    def _is_resting(self) -> bool:
        return time.monotonic() < self._resting_until

    def _failed(self, error: Exception) -> None:
        self._resting_until = time.monotonic() + _REST_SECONDS
        self._count("store_error")
        _log.warning("persisted queries: Redis failed", error=type(error).__name__)
