"""Loaders of the users domain: one statement per shard, however many users a query names."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

from aiodataloader import DataLoader
from typing_extensions import override

from shared.sharding import EntityId, ShardedLoader
from subgraphs.users.repository import Standing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from shared.auth import Viewer
    from shared.pagination import Page, PageRequest
    from shared.sharding import ReadSession, Shards
    from subgraphs.users.context import UsersServices
    from subgraphs.users.repository import StandingRepository
    from subgraphs.users.service import Listed, PresenceService, Profile, StoredPresence

__all__ = ["ListPages", "StandingLoader", "UserLoaders"]

LoadManyPages: TypeAlias = (
    "Callable[[PageRequest, ReadSession, Sequence[EntityId]],"
    " Awaitable[Mapping[EntityId, Page[Listed]]]]"
)


class UserLoaders:
    """The loaders of one operation of one viewer."""

    def __init__(self, services: UsersServices, viewer: Viewer) -> None:
        shards = services.shards
        self.presence_by_id: DataLoader[EntityId, StoredPresence] = DataLoader(
            partial(_load_presence, services.presence)
        )
        self.profile_by_id: ShardedLoader[Profile] = ShardedLoader(
            shards, partial(services.profiles.load_many_profiles, viewer)
        )
        self.standing_with = StandingLoader(shards, services.standings, viewer)
        lists = services.follow_lists
        self.followers = ListPages(
            shards, partial(lists.load_many_followers, viewer), self.profile_by_id
        )
        self.following = ListPages(
            shards, partial(lists.load_many_following, viewer), self.profile_by_id
        )


class ListPages:
    """Pages of one list of many users; those with the same arguments share a loader.

    Profiles that come with a list are given to ``profiles``, which need not read them again.
    """

    def __init__(
        self, shards: Shards, load_many: LoadManyPages, profiles: ShardedLoader[Profile]
    ) -> None:
        self._shards = shards
        self._load_many = load_many
        self._profiles = profiles
        self._by_request: dict[PageRequest, ShardedLoader[Page[Listed]]] = {}

    async def load(self, request: PageRequest, user_id: EntityId) -> Page[Listed]:
        """The page of this user's list."""
        loader = self._by_request.get(request)
        if loader is None:
            load = partial(self._load, request)
            loader = self._by_request[request] = ShardedLoader(self._shards, load)
        page = await loader.load(user_id)
        assert page is not None, "the loader answers for every user"
        return page

    async def _load(
        self, request: PageRequest, session: ReadSession, users: Sequence[EntityId]
    ) -> Mapping[EntityId, Page[Listed]]:
        pages = await self._load_many(request, session, users)
        for listed in chain.from_iterable(page.nodes for page in pages.values()):
            if listed.profile is not None:
                self._profiles.prime(listed.user_id, listed.profile)
        return pages


class StandingLoader(DataLoader[EntityId, Standing]):
    """What the viewer has with others, all of it on the viewer's slot: one statement in all."""

    def __init__(self, shards: Shards, repository: StandingRepository, viewer: Viewer) -> None:
        super().__init__()
        self._shards = shards
        self._repository = repository
        self._viewer_id = viewer.user_id

    @override
    async def batch_load_fn(self, keys: list[EntityId]) -> list[Standing]:
        """Called with the distinct keys of one tick. A machine has nothing with anybody."""
        found: dict[EntityId, Standing] = {}
        if self._viewer_id is not None:
            size = self._shards.settings.batch_size
            batches = [keys[start : start + size] for start in range(0, len(keys), size)]
            for answer in await asyncio.gather(*map(partial(self._load, self._viewer_id), batches)):
                found.update(answer)
        return [found.get(key, _NOTHING) for key in keys]

    async def _load(
        self, viewer_id: EntityId, others: Sequence[EntityId]
    ) -> Mapping[EntityId, Standing]:
        async with self._shards.read(viewer_id.slot) as session:
            return await self._repository.load_many_standings(session, viewer_id, others)


_NOTHING = Standing()


async def _load_presence(presence: PresenceService, ids: list[EntityId]) -> list[StoredPresence]:
    """One round trip to Redis, however many users a query names."""
    stored = await presence.load_many(ids)
    return [stored[user_id] for user_id in ids]
