"""The way from a slot to a connection: one lazily opened engine per physical shard.

The only place that opens connections for requests. Repositories get sessions, never engines. Reads
and writes go to the primary; reading from replicas comes in by choosing another ``Node`` in
``read`` and ``read_on``, nothing else changes.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shared.sharding.engine import open_engine
from shared.sharding.metrics import ShardMetrics
from shared.sharding.sessions import Node, ReadSession, WriteSession

if TYPE_CHECKING:
    from typing import Self

    from shared.sharding.ids import ShardId, Slot
    from shared.sharding.settings import ShardSettings
    from shared.sharding.topology import Topology

__all__ = ["Shards"]


class Shards:
    """All shards of one domain; an ``async with`` in the service's lifespan makes and closes it."""

    def __init__(self, topology: Topology, settings: ShardSettings) -> None:
        self.topology = topology
        self.settings = settings
        self._readers: dict[ShardId, Node] = {}
        self._writers: dict[ShardId, Node] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def read(self, slot: Slot) -> ReadSession:
        """``async with shards.read(slot) as session``: reads rows of this slot."""
        return ReadSession(self._reader(self.topology.shard_of(slot)), slot)

    def read_on(self, shard: ShardId) -> ReadSession:
        """``async with shards.read_on(shard) as session``: reads from a whole shard."""
        return ReadSession(self._reader(shard), None)

    def write(self, slot: Slot) -> WriteSession:
        """``async with shards.write(slot) as session``: one transaction, committed at the end."""
        return WriteSession(self._writer(self.topology.shard_of(slot)), slot)

    async def close(self) -> None:
        """Closes every connection. Sessions must not be used afterwards."""
        readers = list(self._readers.values())
        self._readers.clear()
        self._writers.clear()
        await asyncio.gather(*(node.engine.dispose() for node in readers))

    def _reader(self, shard: ShardId) -> Node:
        node = self._readers.get(shard)
        if node is None:
            node = self._readers[shard] = Node(
                domain=self.settings.domain,
                shard=shard,
                engine=open_engine(self.topology.shard(shard).primary, self.settings),
                metrics=ShardMetrics(self.settings.domain, shard),
            )
        return node

    def _writer(self, shard: ShardId) -> Node:
        node = self._writers.get(shard)
        if node is None:
            reader = self._reader(shard)
            node = self._writers[shard] = Node(
                domain=reader.domain,
                shard=shard,
                # the same pool, with transactions
                engine=reader.engine.execution_options(isolation_level="READ COMMITTED"),
                metrics=reader.metrics,
            )
        return node
