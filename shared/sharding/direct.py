"""A connection to a shard's primary outside of the pools, past any pooler.

For what belongs to a connection (LISTEN, advisory locks) or to a program that does one thing
(migrations). Requests go through ``Shards``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.db.connect import connect
from shared.sharding.servers import ShardServers
from shared.sharding.settings import ShardSettings

if TYPE_CHECKING:
    from shared.sharding.topology import ShardConfig

__all__ = ["connect_primary"]


async def connect_primary(
    shard: ShardConfig, *, application_name: str, timeout: float = 5.0
) -> Any:
    """An ``asyncpg.Connection`` to whichever server of the shard is the primary; the caller closes
    it. Without timeouts for statements.

    Raises:
        OSError: nothing answers, or nothing that takes writes.
        asyncpg.PostgresError: the server refuses.
    """
    address = shard.direct_servers[0]
    if shard.replicas:
        settings = ShardSettings(
            domain="", application_name=application_name, connect_timeout=timeout
        )
        servers = ShardServers(shard, settings)
        try:
            address = (await servers.look_for_primary()).direct
        finally:
            await servers.close()
    return await connect(address, application_name=application_name, timeout=timeout)
