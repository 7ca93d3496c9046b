"""Telling an outage, which ends by itself, from a bug, which comes again with the same event."""

from __future__ import annotations

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from shared.errors import SocialnetError

__all__ = ["is_outage"]


def is_outage(error: BaseException) -> bool:
    """Whether what a consumer raised says that a shard, Redis or the network is down or slow."""
    if isinstance(error, SocialnetError):
        return error.extensions.get("retryable") is True
    # OSError: TimeoutError and ConnectionError too
    return isinstance(error, OSError | RedisConnectionError | RedisTimeoutError)
