"""Redis: connections for live delivery, caches and limits; an in-process server for the embedded
runtime.
"""

from shared.cache.redis import InProcessRedis, RedisClient, connect_redis

__all__ = ["InProcessRedis", "RedisClient", "connect_redis"]
