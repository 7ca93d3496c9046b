"""Follows: beginning and ending them.

A follow has two rows, on the slots of two users. The follower's slot decides: its row, its number
and the event are one transaction. ``FollowMirror`` brings the followee's slot in line with it, from
the events; so both sides agree as soon as the events have arrived.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.errors import BadUserInputError
from shared.events import append
from shared.sharding import EntityId
from subgraphs.users.errors import AccountInactiveError, UserBlockedError, UserNotFoundError
from subgraphs.users.events import UserFollowed, UserFollowerRemoved, UserUnfollowed
from subgraphs.users.repository import Relation
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from shared.auth import Viewer
    from shared.limits import RateLimit, RateLimiter
    from shared.sharding import Shards, WriteSession
    from subgraphs.users.repository import FollowRepository, Reception

__all__ = ["FollowService"]


class FollowService:
    """Follows on behalf of a viewer."""

    def __init__(
        self,
        shards: Shards,
        repository: FollowRepository,
        limiter: RateLimiter,
        limit: RateLimit | None = None,
    ) -> None:
        """``limit``: how often one user may follow somebody; None: any number of times."""
        self._shards = shards
        self._repository = repository
        self._limiter = limiter
        self._limit = limit

    async def follow(self, viewer: Viewer, followee: EntityId) -> None:
        """Follow a user; nothing happens when the viewer does already.

        A follow whose other row is missing is ended and begun anew: it may be on its way, or the
        followee has removed it and the viewer's slot does not know yet, which would undo the
        follow that is asked for now.

        Raises:
            BadUserInputError: to oneself.
            UserNotFoundError: there is no such user to follow.
            UserBlockedError: one of the two has blocked the other.
            RateLimitedError: the viewer has followed too many in a short time.
        """
        follower = viewer.require_user()
        if follower == followee:
            raise BadUserInputError("You cannot follow yourself.", field="userId")
        await self._limiter.hit(self._limit, str(follower))
        reception = await self._reception(followee, follower)
        async with self._shards.write(follower.slot) as session:
            if await self._repository.lock_user(session, follower) is not AccountStatus.ACTIVE:
                raise AccountInactiveError
            if await self._repository.has_blocked(session, follower, followee):
                raise UserBlockedError
            old = await self._repository.following.find(session, follower, followee)
            if old is not None:
                if old.id == reception.follow_id:
                    return
                await self._end(session, follower, followee)
            new = Relation(
                id=EntityId.new(follower.slot).uuid,
                owner=follower,
                other=followee,
                created_at=datetime.now(UTC),
            )
            await self._repository.following.put(session, new)
            await append(session, _followed(new), actor=follower)

    async def unfollow(self, viewer: Viewer, followee: EntityId) -> None:
        """Follow a user no more; nothing happens when the viewer does not."""
        follower = viewer.require_user()
        async with self._shards.write(follower.slot) as session:
            await self._repository.lock_user(session, follower)
            await self._end(session, follower, followee)

    async def sever(self, session: WriteSession, user_id: EntityId, other: EntityId) -> None:
        """End the follows between two users in both directions, from the side of ``user_id``.

        For who blocks, in the transaction of the block and after its row is written: whatever the
        mirror does about these two comes before, and is undone here, or after, and sees the block.
        """
        await self._repository.lock_user(session, user_id)
        await self._end(session, user_id, other)
        removed = await self._repository.followers.remove(session, user_id, other)
        if removed is not None:
            await append(session, follower_removed(removed), actor=user_id)

    async def end_some(self, session: WriteSession, user_id: EntityId, limit: int) -> int:
        """End up to ``limit`` follows on each side of a user who is gone for good, each with its
        event, and return how many; 0 when none is left.

        Call it in transactions of their own until then: somebody may have a million followers.
        None is added meanwhile, because the account is deleted.
        """
        await self._repository.lock_user(session, user_id)
        own = await self._repository.following.remove_some(session, user_id, limit)
        others = await self._repository.followers.remove_some(session, user_id, limit)
        for row in own:
            await append(session, unfollowed(row), actor=None)
        for row in others:
            await append(session, follower_removed(row), actor=None)
        return len(own) + len(others)

    async def _reception(self, followee: EntityId, follower: EntityId) -> Reception:
        async with self._shards.read(followee.slot, fresh=True) as session:
            reception = await self._repository.find_reception(session, followee, follower)
        if reception is None or reception.status is not AccountStatus.ACTIVE:
            raise UserNotFoundError
        if reception.blocks_follower:
            raise UserBlockedError
        return reception

    async def _end(self, session: WriteSession, follower: EntityId, followee: EntityId) -> None:
        removed = await self._repository.following.remove(session, follower, followee)
        if removed is not None:
            await append(session, unfollowed(removed), actor=follower)


def unfollowed(row: Relation) -> UserUnfollowed:
    """The event of a row of ``following`` that was deleted."""
    return UserUnfollowed(follower_id=str(row.owner), followee_id=str(row.other), follow_id=row.id)


def follower_removed(row: Relation) -> UserFollowerRemoved:
    """The event of a row of ``followers`` that was deleted."""
    return UserFollowerRemoved(
        follower_id=str(row.other), followee_id=str(row.owner), follow_id=row.id
    )


def _followed(row: Relation) -> UserFollowed:
    return UserFollowed(follower_id=str(row.owner), followee_id=str(row.other), follow_id=row.id)
