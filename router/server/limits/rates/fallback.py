"""What happens while Redis does not answer.

After a failure Redis is left alone for a second: a request in a hundred pays its timeout, not each.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from router.server.errors import RequestError, RequestErrorCode
from router.server.limits.rates.buckets import Verdict
from router.server.settings import WithoutRedis

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prometheus_client import Counter

    from router.server.limits.rates.buckets import BucketStore, Draw

__all__ = ["FallbackStore"]

_log = structlog.get_logger(__name__)

_PAUSE_SECONDS = 1.0


class FallbackStore:
    """Asks ``shared``, and does as it was told where that fails."""

    def __init__(
        self,
        shared: BucketStore,
        local: BucketStore,
        mode: WithoutRedis,
        failures: Counter,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._shared = shared
        self._local = local
        self._mode = mode
        self._failures = failures
        self._clock = clock
        self._not_before = float("-inf")

    async def take(self, draws: Sequence[Draw]) -> Verdict:
        """Take from all buckets, or from none where one has too little."""
        if self._clock() >= self._not_before:
            try:
                return await self._shared.take(draws)
            except (RedisError, OSError) as error:  # TimeoutError is an OSError
                self._failures.inc()
                self._not_before = self._clock() + _PAUSE_SECONDS
                _log.warning("rate limits without redis", reason=str(error) or repr(error))
        if self._mode is WithoutRedis.LOCAL:
            return await self._local.take(draws)
        if self._mode is WithoutRedis.OPEN:
            return Verdict(True, tuple(0.0 for _ in draws))
        raise RequestError(
            RequestErrorCode.RATE_LIMIT_UNAVAILABLE,
            "Requests cannot be counted at the moment",
            status=503,
            headers=((b"retry-after", b"1"),),
        )

    async def aclose(self) -> None:
        """Close both stores."""
        await self._shared.aclose()
        await self._local.aclose()
