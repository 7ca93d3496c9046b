"""Redis clients for every service: a real server by URL, or one inside the process behind the same
API.

Everything that uses Redis takes a ``RedisClient`` from here, so that nothing can work with the one
and not the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from redis.asyncio import Redis

if TYPE_CHECKING:
    from fakeredis import FakeServer

__all__ = ["InProcessRedis", "RedisClient", "connect_redis"]

RedisClient: TypeAlias = Redis


def connect_redis(url: str, *, timeout: float = 5.0) -> RedisClient:
    """A client of the server at ``url`` (``redis://``, ``rediss://``, ``unix://``). Connects at
    first use.

    ``timeout`` in seconds bounds connecting and each command. Who calls this closes the client with
    ``aclose()``.
    """
    client: RedisClient = Redis.from_url(
        url,
        socket_connect_timeout=timeout,
        socket_timeout=timeout,
        socket_keepalive=True,
        health_check_interval=30,
    )
    return client


class InProcessRedis:
    """A Redis of one process: all clients of one instance share its keys and channels."""

    def __init__(self) -> None:
        # imported here: a service with a real Redis does not load the emulation
        from fakeredis import FakeServer

        self._server: FakeServer = FakeServer()

    def client(self) -> RedisClient:
        """A new client of this server; close it with ``aclose()``."""
        from fakeredis import FakeAsyncRedis

        client: RedisClient = FakeAsyncRedis(server=self._server)
        return client
