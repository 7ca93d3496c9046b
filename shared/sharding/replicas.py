"""Choosing the replica that a statement reads from, or none.

A replica is chosen in turn among those that follow closely enough (``ShardServers.readable``) and
have what the current request must see (``positions``). How far a replica has got is known from the
last look; when that is not far enough for a request, it is looked at once more, unless that was
done less than 100 ms ago.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from shared.sharding.positions import current_positions

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.sharding.positions import ShardKey
    from shared.sharding.server import Server
    from shared.sharding.servers import ShardServers
    from shared.sharding.sessions import Node

__all__ = ["Replicas"]

_MAX_AGE: Final = 0.1


class Replicas:
    """The replicas of one shard as readers see them."""

    def __init__(
        self, servers: ShardServers, key: ShardKey, node_of: Callable[[Server], Node]
    ) -> None:
        self._servers = servers
        self._key = key
        self._node_of = node_of
        self._turn = itertools.count()

    async def choose(self) -> tuple[Server, Node] | None:
        """A replica for the next statement of the current request; None: read the primary."""
        self._servers.watch()
        positions = current_positions()
        required = None if positions is None else positions.required(self._key)
        readable = self._servers.readable() if required is not None else []
        if required is None or not readable:
            return None
        advanced = [server for server in readable if server.replayed >= required]
        if advanced:
            server = advanced[next(self._turn) % len(advanced)]
            return server, self._node_of(server)
        server = readable[next(self._turn) % len(readable)]
        await server.look(max_age=_MAX_AGE)
        return (server, self._node_of(server)) if server.replayed >= required else None

    def suspect(self, server: Server) -> None:
        """The server failed to answer."""
        self._servers.suspect(server)
