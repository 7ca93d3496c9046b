"""Looking into outboxes."""

from __future__ import annotations

from collections.abc import Sequence

from shared.db.connect import connect
from shared.sharding import ShardConfig
from tests.support.waiting import until


async def unpublished(shards: Sequence[ShardConfig]) -> int:
    """How many events wait, on all shards of a domain."""
    count = 0
    for shard in shards:
        connection = await connect(shard.primary, application_name="test")
        count += await connection.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL")
        await connection.close()
    return count


async def until_published(shards: Sequence[ShardConfig]) -> None:
    """Wait until none does."""

    async def published() -> bool:
        return await unpublished(shards) == 0

    await until(published, seconds=60)
