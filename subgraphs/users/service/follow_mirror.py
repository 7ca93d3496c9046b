"""The consumer that brings the other side of each follow in line, from the users domain's events.

The follower's slot says what is so, the followee's has the last word on whether it may be::

    user.followed          ->  followee's slot: row in `followers`, or user.follower_removed
    user.unfollowed        ->  followee's slot: row deleted
    user.follower_removed  ->  follower's slot: row in `following` deleted

Each event names its follow, and touches no other one of the same pair. So the end is the same in
whatever order events come: an end that comes before its beginning is remembered, and of two
beginnings the newer row stays. Each effect holds the lock of the user's row, as ``FollowService``
does: follows, blocks and the mirror of one user come one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from shared.events import append, once
from shared.sharding import EntityId
from subgraphs.users.events import UserFollowed, UserFollowerRemoved, UserUnfollowed
from subgraphs.users.repository import Relation
from subgraphs.users.service.follows import follower_removed
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from shared.events import Delivery, Effect, Event
    from shared.sharding import Shards, Slot, WriteSession
    from subgraphs.users.repository import FollowRepository

__all__ = ["FollowMirror"]

FollowEvent: TypeAlias = UserFollowed | UserUnfollowed | UserFollowerRemoved

_CONSUMER = "follow-mirror"
_PAYLOADS: dict[tuple[str, int], type[FollowEvent]] = {
    (payload.event_type, payload.event_version): payload
    for payload in (UserFollowed, UserUnfollowed, UserFollowerRemoved)
}


class FollowMirror:
    """Consumes the events of follows; see the module's text."""

    def __init__(self, shards: Shards, repository: FollowRepository) -> None:
        self._shards = shards
        self._following = repository.following
        self._followers = repository.followers
        self._repository = repository

    async def consume(self, delivery: Delivery) -> None:
        """Bring one slot in line. Raises ``ShardError`` when it cannot be reached now."""
        event = delivery.event
        payload = _PAYLOADS.get((event.type, event.version))
        if payload is None:
            return
        told = payload.model_validate(event.payload)
        follower, followee = self._id(told.follower_id), self._id(told.followee_id)
        mirrored = Relation(
            id=told.follow_id, owner=followee, other=follower, created_at=event.occurred_at
        )

        async def begin(session: WriteSession) -> None:
            await self._begin(session, mirrored)

        async def end(session: WriteSession) -> None:
            await self._end(session, mirrored)

        async def take_back(session: WriteSession) -> None:
            await self._repository.lock_user(session, follower)
            await self._following.remove(session, follower, followee, only=told.follow_id)

        match told:
            case UserFollowed():
                await self._once(followee.slot, event, begin)
            case UserUnfollowed():
                await self._once(followee.slot, event, end)
            case UserFollowerRemoved():
                await self._once(follower.slot, event, take_back)

    async def _begin(self, session: WriteSession, row: Relation) -> None:
        status = await self._repository.lock_user(session, row.owner)
        if await self._repository.is_ended(session, row.id):
            return
        is_gone = status is None or status is AccountStatus.DELETED
        if is_gone or await self._repository.has_blocked(session, row.owner, row.other):
            await append(session, follower_removed(row), actor=None)
        else:
            await self._followers.put(session, row)

    async def _end(self, session: WriteSession, row: Relation) -> None:
        await self._repository.lock_user(session, row.owner)
        if await self._followers.remove(session, row.owner, row.other, only=row.id) is None:
            await self._repository.mark_ended(session, row.id)

    async def _once(self, slot: Slot, event: Event, effect: Effect) -> None:
        await once(self._shards, slot, consumer=_CONSUMER, event=event, effect=effect)

    def _id(self, text: str) -> EntityId:
        return EntityId.parse(text, slots=self._shards.topology.slots)
