"""The way from a slot to a connection.

The only place that opens connections for requests. Repositories get sessions, never engines. Writes
go to the primary. Reads may go to a replica, and then lag behind a little, except for what the
client has written itself (``positions``): a read that decides a write, or that has to know what
anybody has just done, asks for ``fresh``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shared.sharding.sessions import ReadSession, WriteSession
from shared.sharding.shard import Shard

if TYPE_CHECKING:
    from typing import Self

    from shared.sharding.ids import ShardId, Slot
    from shared.sharding.servers import ShardServers
    from shared.sharding.settings import ShardSettings
    from shared.sharding.topology import Topology

__all__ = ["Shards"]


class Shards:
    """All shards of one domain; an ``async with`` in the service's lifespan makes and closes it."""

    def __init__(self, topology: Topology, settings: ShardSettings) -> None:
        self.topology = topology
        self.settings = settings
        self._opened: dict[ShardId, Shard] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def read(self, slot: Slot, *, fresh: bool = False) -> ReadSession:
        """``async with shards.read(slot) as session``: reads rows of this slot. ``fresh``: as they
        are now, on the primary.
        """
        return self._read(self.topology.shard_of(slot), slot, fresh=fresh)

    def read_on(self, shard: ShardId, *, fresh: bool = False) -> ReadSession:
        """``async with shards.read_on(shard) as session``: reads from a whole shard."""
        return self._read(shard, None, fresh=fresh)

    def write(self, slot: Slot) -> WriteSession:
        """``async with shards.write(slot) as session``: one transaction, committed at the end."""
        return WriteSession(self._shard(self.topology.shard_of(slot)).writer, slot)

    def servers_of(self, shard: ShardId) -> ShardServers | None:
        """Who watches the servers of a shard; None when it has but one."""
        return self._shard(shard).servers

    async def close(self) -> None:
        """Closes every connection. Sessions must not be used afterwards."""
        opened = list(self._opened.values())
        self._opened.clear()
        await asyncio.gather(*(shard.close() for shard in opened))

    def _read(self, name: ShardId, slot: Slot | None, *, fresh: bool) -> ReadSession:
        shard = self._shard(name)
        return ReadSession(shard.reader, slot, None if fresh else shard.replicas)

    def _shard(self, name: ShardId) -> Shard:
        shard = self._opened.get(name)
        if shard is None:
            shard = self._opened[name] = Shard(self.topology.shard(name), self.settings)
        return shard
