"""One shard as ``Shards`` holds it: the pool of its primary, and one for each replica that is read.

A shard with one server has one pool and nothing else. With several, ``ShardServers`` watches them.
Pools are empty until something is read or written.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shared.sharding.engine import open_engine, open_primary_engine
from shared.sharding.metrics import LagMetric, PoolMetrics, Role, ShardMetrics
from shared.sharding.positions import shard_key
from shared.sharding.replicas import Replicas
from shared.sharding.servers import ShardServers
from shared.sharding.sessions import Node

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from shared.sharding.server import Server
    from shared.sharding.settings import ShardSettings
    from shared.sharding.topology import ShardConfig

__all__ = ["Shard"]


class Shard:
    """``reader`` and ``writer`` are the primary, by statements and by transactions; ``servers`` and
    ``replicas`` are None when there is but one server.
    """

    def __init__(self, config: ShardConfig, settings: ShardSettings) -> None:
        self.config = config
        self._settings = settings
        self._key = shard_key(settings.domain, config.id)
        self._nodes: dict[Server, Node] = {}
        self._metrics: list[PoolMetrics | LagMetric] = []
        self.servers: ShardServers | None = None
        self.replicas: Replicas | None = None
        if config.replicas:
            self.servers = ShardServers(config, settings)
            self.replicas = Replicas(self.servers, self._key, self._replica)
            engine = open_primary_engine(self.servers, settings, pooled=config.is_pooled)
        else:
            engine = open_engine(config.primary, settings, pooled=config.is_pooled)
        self._engine = engine
        self.reader = self._node(engine, Role.PRIMARY, "primary")
        # the same pool, with transactions
        self.writer = Node(
            domain=self.reader.domain,
            shard=self.reader.shard,
            engine=engine.execution_options(isolation_level="READ COMMITTED"),
            metrics=self.reader.metrics,
            position_key=self._key if config.replicas else None,
        )

    async def close(self) -> None:
        """Close every connection."""
        for metric in self._metrics:
            metric.close()
        if self.servers is not None:
            await self.servers.close()
        engines = [self._engine, *(node.engine for node in self._nodes.values())]
        await asyncio.gather(*(engine.dispose() for engine in engines))

    def _replica(self, server: Server) -> Node:
        """The node of a server for reading; any server may become a replica."""
        node = self._nodes.get(server)
        if node is None:
            engine = open_engine(server.url, self._settings, pooled=self.config.is_pooled)
            node = self._nodes[server] = self._node(engine, Role.REPLICA, server.name)
            domain, shard = self._settings.domain, self.config.id
            self._metrics.append(LagMetric(domain, shard, server.name, lambda: server.lag))
        return node

    def _node(self, engine: AsyncEngine, role: Role, server: str) -> Node:
        domain, shard = self._settings.domain, self.config.id
        self._metrics.append(PoolMetrics(domain, shard, server, engine.pool))
        return Node(
            domain=domain,
            shard=shard,
            engine=engine,
            metrics=ShardMetrics(domain, shard, role),
        )
