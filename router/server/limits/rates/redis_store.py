"""Buckets in Redis, shared by all workers and machines.

One script decides about all of a request's buckets and takes from them, with the clock of Redis: no
two requests can take the same token, and clocks of machines do not matter. The script uses several
keys, so this is for one Redis server, with or without replicas, not for a cluster.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from router.server.limits.rates.buckets import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.server.limits.rates.buckets import Draw

__all__ = ["RedisStore"]

_PREFIX = "router:rate:"
_MAX_CONNECTIONS = 50

# KEYS: buckets; ARGV: for each the microseconds needed and those of a whole bucket.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local answer = {1}
for i, key in ipairs(KEYS) do
  local full = tonumber(redis.call('GET', key)) or 0
  local missing = math.max(full - now, 0)
  answer[i + 1] = missing
  if missing + tonumber(ARGV[2 * i - 1]) > tonumber(ARGV[2 * i]) + 1 then answer[1] = 0 end
end
if answer[1] == 1 then
  for i, key in ipairs(KEYS) do
    local missing = answer[i + 1] + tonumber(ARGV[2 * i - 1])
    if missing > 0 then
      local full = string.format('%.0f', now + missing)
      redis.call('SET', key, full, 'PX', math.ceil(missing / 1000))
    end
  end
end
return answer
"""


class RedisStore:
    """Asks Redis, once, within ``timeout`` seconds; raises RedisError, OSError or TimeoutError."""

    def __init__(self, url: str, *, timeout: float) -> None:
        self._timeout = timeout
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_MAX_CONNECTIONS,
            timeout=timeout,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
        )
        self._redis: Redis = Redis.from_pool(pool)
        self._script = self._redis.register_script(_SCRIPT)

    async def take(self, draws: Sequence[Draw]) -> Verdict:
        """Take from all buckets, or from none where one has too little."""
        arguments: list[int] = []
        for draw in draws:
            arguments += (round(draw.need * 1e6), draw.rate.seconds * 1_000_000)
        async with asyncio.timeout(self._timeout):
            answer: list[Any] = await self._script(
                keys=[_PREFIX + draw.bucket for draw in draws], args=arguments
            )
        granted, *missing = answer
        return Verdict(bool(granted), tuple(int(one) / 1e6 for one in missing))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
