"""Loaders of the users domain: one statement per shard, however many users a query names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shared.sharding import ShardedLoader

if TYPE_CHECKING:
    from shared.auth import Viewer
    from shared.sharding import Shards
    from subgraphs.users.service import Profile, ProfileService

__all__ = ["UserLoaders"]


class UserLoaders:
    """The loaders of one operation of one viewer."""

    def __init__(self, shards: Shards, profiles: ProfileService, viewer: Viewer) -> None:
        self.profile_by_id: ShardedLoader[Profile] = ShardedLoader(
            shards, partial(profiles.load_many_profiles, viewer)
        )
