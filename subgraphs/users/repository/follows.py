"""The SQL of follows: the two rows of each, and the numbers of them that users carry.

A follow is a row of ``following`` on the follower's slot and one of ``followers`` on the
followee's, with the same ``id``. A row and the number of its owner change together, here and
nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from subgraphs.users.repository.relation_table import RelationTable
from subgraphs.users.repository.seen_pages import SeenPages
from subgraphs.users.tables import (
    AccountStatus,
    blocks,
    followers,
    following,
    processed_events,
    users,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from sqlalchemy import Column, Table

    from shared.sharding import EntityId, ReadSession, Session, WriteSession
    from subgraphs.users.repository.relation_table import KeyRange, Relation
    from subgraphs.users.repository.seen_pages import SeenRelation

__all__ = ["FollowRepository", "FollowSide", "Reception"]

_IS_USER = (users.c.slot == bindparam("slot_")) & (users.c.id == bindparam("id_"))
_STATUS_LOCKED = select(users.c.status).where(_IS_USER).with_for_update()
_BLOCK = select(blocks.c.id).where(
    blocks.c.slot == bindparam("slot_"),
    blocks.c.blocker_id == bindparam("id_"),
    blocks.c.blocked_slot == bindparam("other_slot_"),
    blocks.c.blocked_id == bindparam("other_id_"),
)
_MIRRORED = select(followers.c.id).where(
    followers.c.slot == bindparam("slot_"),
    followers.c.followee_id == bindparam("id_"),
    followers.c.follower_slot == bindparam("other_slot_"),
    followers.c.follower_id == bindparam("other_id_"),
)
_RECEPTION = select(
    users.c.status,
    _BLOCK.exists().label("blocks_follower"),
    _MIRRORED.scalar_subquery().label("follow_id"),
).where(_IS_USER)

# An end that came before its beginning is remembered as if it were the beginning's event.
_ENDED = "follow-ended"
_MARK_ENDED = insert(processed_events).on_conflict_do_nothing()
_IS_ENDED = select(processed_events.c.event_id).where(
    processed_events.c.slot == bindparam("slot_"),
    processed_events.c.consumer == _ENDED,
    processed_events.c.event_id == bindparam("follow_id_"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """What a followee's slot says to a follower: ``follow_id`` is that of the row in ``followers``,
    if it is there.
    """

    status: AccountStatus
    blocks_follower: bool
    follow_id: UUID | None


class FollowSide:
    """One of the two tables, with the number that each owner carries of its rows.

    Transactions that write must hold the owner's row (``FollowRepository.lock_user``), so that
    those about the same owner come one after the other.
    """

    def __init__(self, table: Table, number: Column[int], *, owner: str, other: str) -> None:
        self._rows = RelationTable(table, owner=owner, other=other)
        self._pages = SeenPages(self._rows)
        self._count = (
            update(users)
            .where(_IS_USER)
            .values({number.name: number + bindparam("by_", type_=number.type)})
        )

    async def find(self, session: Session, owner: EntityId, other: EntityId) -> Relation | None:
        """The row of this pair."""
        return await self._rows.find(session, owner, other)

    async def put(self, session: WriteSession, row: Relation) -> None:
        """Write a row and count it; a newer row of the pair stays as it is."""
        if await self._rows.put(session, row):
            await self._add(session, row.owner, 1)

    async def remove(
        self, session: WriteSession, owner: EntityId, other: EntityId, *, only: UUID | None = None
    ) -> Relation | None:
        """Delete the pair's row, count it no more, and return it; with ``only``, if it is the one
        with this ``id``.
        """
        removed = await self._rows.remove(session, owner, other, only=only)
        if removed is not None:
            await self._add(session, owner, -1)
        return removed

    async def remove_some(
        self, session: WriteSession, owner: EntityId, limit: int
    ) -> list[Relation]:
        """Delete up to ``limit`` rows of an owner, count them no more, and return them."""
        removed = await self._rows.remove_some(session, owner, limit)
        if removed:
            await self._add(session, owner, -len(removed))
        return removed

    async def load_many_pages(
        self,
        session: ReadSession,
        owners: Sequence[EntityId],
        part: KeyRange,
        *,
        viewer_id: EntityId | None,
    ) -> dict[EntityId, list[SeenRelation]]:
        """The same part of the list of each of these owners; one statement."""
        return await self._pages.load_many(session, owners, part, viewer_id=viewer_id)

    async def _add(self, session: WriteSession, owner: EntityId, by: int) -> None:
        await session.execute(self._count, {**_key(owner), "by_": by})


class FollowRepository:
    """Both sides of follows, and what is looked up before they change."""

    def __init__(self) -> None:
        self.following = FollowSide(
            following, users.c.following_count, owner="follower", other="followee"
        )
        self.followers = FollowSide(
            followers, users.c.follower_count, owner="followee", other="follower"
        )

    async def lock_user(self, session: WriteSession, user_id: EntityId) -> AccountStatus | None:
        """The status of a user, whose row stays as it is until the transaction ends."""
        status = (await session.execute(_STATUS_LOCKED, _key(user_id))).scalar_one_or_none()
        return None if status is None else AccountStatus(status)

    async def has_blocked(self, session: Session, user_id: EntityId, other: EntityId) -> bool:
        """Whether ``user_id`` has blocked ``other``; on the slot of the former."""
        row = (await session.execute(_BLOCK, _about(user_id, other))).one_or_none()
        return row is not None

    async def find_reception(
        self, session: ReadSession, followee: EntityId, follower: EntityId
    ) -> Reception | None:
        """How a followee stands to a follower; None when there is no such user."""
        row = (await session.execute(_RECEPTION, _about(followee, follower))).one_or_none()
        if row is None:
            return None
        return Reception(
            status=AccountStatus(row.status),
            blocks_follower=row.blocks_follower,
            follow_id=row.follow_id,
        )

    async def mark_ended(self, session: WriteSession, follow_id: UUID) -> None:
        """Remember that a follow has ended whose beginning has not been seen in this slot."""
        marked = {"slot": session.slot, "consumer": _ENDED, "event_id": follow_id}
        await session.execute(_MARK_ENDED, marked)

    async def is_ended(self, session: WriteSession, follow_id: UUID) -> bool:
        """Whether ``mark_ended`` has been told of this follow."""
        wanted = {"slot_": session.slot, "follow_id_": follow_id}
        return (await session.execute(_IS_ENDED, wanted)).one_or_none() is not None


def _key(user_id: EntityId) -> dict[str, object]:
    return {"slot_": user_id.slot, "id_": user_id.uuid}


def _about(user_id: EntityId, other: EntityId) -> dict[str, object]:
    return {**_key(user_id), "other_slot_": other.slot, "other_id_": other.uuid}
