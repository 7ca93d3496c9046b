"""Blocks: whom a user has nothing to do with any more.

A block is one row on the blocker's slot. It decides what the blocked one sees of the blocker
(``visibility``), ends the follows between the two, and stands in the way of new ones.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.auth import UnauthenticatedError
from shared.errors import BadUserInputError
from shared.events import append
from shared.pagination import KeyPart, Keyset, build_page
from shared.sharding import EntityId
from subgraphs.users.errors import UserNotFoundError
from subgraphs.users.events import UserBlocked, UserUnblocked
from subgraphs.users.repository import Relation
from subgraphs.users.service.key_ranges import key_range
from subgraphs.users.service.profiles import present
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from shared.auth import Viewer
    from shared.pagination import Page, PageRequest
    from shared.sharding import Shards
    from subgraphs.users.repository import BlockRepository, SeenUser, UserRepository
    from subgraphs.users.service.follows import FollowService
    from subgraphs.users.service.profiles import Profile

__all__ = ["BlockService"]

_BLOCKED = Keyset("users:blocked", (KeyPart.UUID,))


class BlockService:
    """Blocks on behalf of a viewer."""

    def __init__(
        self,
        shards: Shards,
        users: UserRepository,
        blocks: BlockRepository,
        follows: FollowService,
    ) -> None:
        self._shards = shards
        self._users = users
        self._blocks = blocks
        self._follows = follows

    async def block(self, viewer: Viewer, other: EntityId) -> Profile:
        """Block a user, who may be deactivated or have blocked the viewer; nothing happens when
        they are blocked already. The follows between the two end with it.

        Raises:
            BadUserInputError: oneself.
            UserNotFoundError: there is no such user, or they are deleted.
        """
        blocker = viewer.require_user()
        if blocker == other:
            raise BadUserInputError("You cannot block yourself.", field="userId")
        seen = await self._find(other, blocker)
        if seen.user.status is AccountStatus.DELETED:
            raise UserNotFoundError
        async with self._shards.write(blocker.slot) as session:
            own = await self._users.find_user_locked(session, blocker)
            if own is None or own.status is not AccountStatus.ACTIVE:
                raise UnauthenticatedError("This account is not in use any more.")
            if await self._blocks.find(session, blocker, other) is None:
                row = Relation(
                    id=EntityId.new(blocker.slot).uuid,
                    owner=blocker,
                    other=other,
                    created_at=datetime.now(UTC),
                )
                await self._blocks.put(session, row)
                await self._follows.sever(session, blocker, other)
                told = UserBlocked(blocker_id=str(blocker), blocked_id=str(other), block_id=row.id)
                await append(session, told, actor=blocker)
        return present(seen, viewer)

    async def unblock(self, viewer: Viewer, other: EntityId) -> Profile:
        """Take a block back; nothing happens when there is none. Follows do not come back.

        Raises:
            UserNotFoundError: there is no such user.
        """
        blocker = viewer.require_user()
        seen = await self._find(other, blocker)
        async with self._shards.write(blocker.slot) as session:
            removed = await self._blocks.remove(session, blocker, other)
            if removed is not None:
                told = UserUnblocked(
                    blocker_id=str(blocker), blocked_id=str(other), block_id=removed.id
                )
                await append(session, told, actor=blocker)
        return present(seen, viewer)

    async def list_blocked(self, viewer: Viewer, request: PageRequest) -> Page[Relation]:
        """A page of those whom the viewer has blocked, newest first."""
        blocker = viewer.require_user()
        part = key_range(_BLOCKED, request)
        async with self._shards.read(blocker.slot) as session:
            pages = await self._blocks.load_many_pages(session, [blocker], part)
        return build_page(pages[blocker], request, lambda row: _BLOCKED.encode((row.id,)))

    async def _find(self, user_id: EntityId, viewer_id: EntityId) -> SeenUser:
        async with self._shards.read(user_id.slot, fresh=True) as session:
            seen = await self._users.find_seen(session, user_id, viewer_id=viewer_id)
        if seen is None:
            raise UserNotFoundError
        return seen
