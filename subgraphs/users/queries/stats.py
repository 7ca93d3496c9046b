"""Asking how the shards are."""

import strawberry

from shared.graphql import documented_field
from subgraphs.users.context import UsersInfo
from subgraphs.users.types import ShardStats

__all__ = ["StatsQueries"]


@strawberry.type
class StatsQueries:
    """A part of ``Query``."""

    @documented_field
    async def shard_stats(self, info: UsersInfo) -> list[ShardStats]:
        """The servers of this domain's shards, as they are now; needs ops:read."""
        context = info.context
        found = await context.services.stats.read(context.viewer)
        return [ShardStats.of(stats) for stats in found]
