"""Statistics of the shards, for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.auth import Scope
from shared.sharding import read_stats
from subgraphs.users.tables import users

if TYPE_CHECKING:
    from shared.auth import Viewer
    from shared.sharding import ServerStats, Shards

__all__ = ["StatsService"]


class StatsService:
    """Looks at the servers of the users domain."""

    def __init__(self, shards: Shards) -> None:
        self._shards = shards

    async def read(self, viewer: Viewer) -> list[ServerStats]:
        """Each server of each shard.

        Raises:
            ForbiddenError: the viewer lacks the scope ``ops:read``.
        """
        viewer.require_scope(Scope.OPS_READ)
        return await read_stats(self._shards, users.name)
