"""Lists of who follows whom, as a viewer sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.pagination import KeyPart, Keyset, build_page
from subgraphs.users.service.key_ranges import key_range
from subgraphs.users.service.profiles import present

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.auth import Viewer
    from shared.pagination import Page, PageRequest
    from shared.sharding import EntityId, ReadSession, Shards
    from subgraphs.users.repository import FollowRepository, FollowSide, SeenRelation
    from subgraphs.users.service.profiles import Profile

__all__ = ["FollowListService", "Listed"]

_FOLLOWERS = Keyset("users:followers", (KeyPart.UUID,))
_FOLLOWING = Keyset("users:following", (KeyPart.UUID,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """Somebody in a list. ``profile`` is there when it was read along with the list."""

    cursor: str
    user_id: EntityId
    profile: Profile | None


class FollowListService:
    """Reads the lists; both methods are batch functions of loaders, one statement each."""

    def __init__(self, shards: Shards, repository: FollowRepository) -> None:
        self._topology = shards.topology
        self._repository = repository

    async def load_many_followers(
        self,
        viewer: Viewer,
        request: PageRequest,
        session: ReadSession,
        users: Sequence[EntityId],
    ) -> Mapping[EntityId, Page[Listed]]:
        """The same page of each user's followers, newest first."""
        side = self._repository.followers
        return await self._load(side, _FOLLOWERS, viewer, request, session, users)

    async def load_many_following(
        self,
        viewer: Viewer,
        request: PageRequest,
        session: ReadSession,
        users: Sequence[EntityId],
    ) -> Mapping[EntityId, Page[Listed]]:
        """The same page of whom each user follows, newest first."""
        side = self._repository.following
        return await self._load(side, _FOLLOWING, viewer, request, session, users)

    async def _load(
        self,
        side: FollowSide,
        keyset: Keyset,
        viewer: Viewer,
        request: PageRequest,
        session: ReadSession,
        users: Sequence[EntityId],
    ) -> Mapping[EntityId, Page[Listed]]:
        def listed(row: SeenRelation) -> Listed:
            other = row.relation.other
            # a slot that has moved away may have left rows behind, which are out of date
            is_here = self._topology.shard_of(other.slot) == session.shard
            return Listed(
                cursor=keyset.encode((row.relation.id,)),
                user_id=other,
                profile=present(row.seen, viewer) if is_here and row.seen is not None else None,
            )

        part = key_range(keyset, request)
        rows = await side.load_many_pages(session, users, part, viewer_id=viewer.user_id)
        return {
            user_id: build_page(list(map(listed, found)), request, lambda each: each.cursor)
            for user_id, found in rows.items()
        }
