"""Loaders of the users domain: one statement per shard, however many users a query names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from aiodataloader import DataLoader

from shared.sharding import ShardedLoader

if TYPE_CHECKING:
    from shared.auth import Viewer
    from shared.sharding import EntityId, Shards
    from subgraphs.users.service import PresenceService, Profile, ProfileService, StoredPresence

__all__ = ["UserLoaders"]


class UserLoaders:
    """The loaders of one operation of one viewer."""

    def __init__(
        self, shards: Shards, profiles: ProfileService, presence: PresenceService, viewer: Viewer
    ) -> None:
        self.presence_by_id: DataLoader[EntityId, StoredPresence] = DataLoader(
            partial(_load_presence, presence)
        )
        self.profile_by_id: ShardedLoader[Profile] = ShardedLoader(
            shards, partial(profiles.load_many_profiles, viewer)
        )


async def _load_presence(presence: PresenceService, ids: list[EntityId]) -> list[StoredPresence]:
    """One round trip to Redis, however many users a query names."""
    stored = await presence.load_many(ids)
    return [stored[user_id] for user_id in ids]
