"""The SQL of erasing deleted users: what is theirs, what others have about them, their row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Interval, bindparam, delete, func, null, select, union, update

from shared.sharding import EntityId, Slot
from subgraphs.users.repository.relation_table import RelationTable
from subgraphs.users.tables import (
    AccountStatus,
    blocks,
    contacts,
    identities,
    sessions,
    used_refresh_tokens,
    users,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Table

    from shared.sharding import ReadSession, WriteSession

__all__ = ["ErasureRepository"]


_ERASED_HANDLE = "deleted"  # reserved: no user has it

_IS_USER = (users.c.slot == bindparam("slot_")) & (users.c.id == bindparam("id_"))
# deleted_at is taken away when the user is erased: they are not due any more
_IS_DUE = (users.c.status == AccountStatus.DELETED) & (
    users.c.deleted_at <= func.now() - bindparam("grace", type_=Interval())
)
_DUE = (
    select(users.c.id)
    .where(users.c.slot == bindparam("slot_"), _IS_DUE)
    .order_by(users.c.deleted_at)
    .limit(bindparam("limit_"))
)
_LOCK_DUE = select(users.c.id).where(_IS_USER, _IS_DUE).with_for_update(skip_locked=True)
_SCRUB = (
    update(users)
    .where(_IS_USER)
    .values(
        email=null(),
        phone=null(),
        handle=_ERASED_HANDLE,
        display_name="",
        search_name="",
        bio="",
        avatar_media_id=null(),
        password_hash=null(),
        scopes=[],
        last_seen_at=null(),
        deleted_at=null(),
        updated_at=bindparam("updated_at_"),
    )
)
_OWN_SESSIONS = (sessions.c.slot == bindparam("slot_")) & (sessions.c.user_id == bindparam("id_"))
_DELETE_OWN = (
    delete(used_refresh_tokens).where(
        used_refresh_tokens.c.slot == bindparam("slot_"),
        used_refresh_tokens.c.session_id.in_(select(sessions.c.id).where(_OWN_SESSIONS)),
    ),
    delete(sessions).where(_OWN_SESSIONS),
)


def _is_about(table: Table, other: str) -> ColumnElement[bool]:
    about: ColumnElement[bool] = (table.c[f"{other}_slot"] == bindparam("about_slot_")) & (
        table.c[f"{other}_id"] == bindparam("about_id_")
    )
    return about


# tables, and the columns in which they name the user; an identity may be a reservation, too
_ABOUT = ((contacts, "contact"), (blocks, "blocked"), (identities, "owner"))
_SLOTS_ABOUT = union(
    *(select(table.c.slot).where(_is_about(table, other)) for table, other in _ABOUT)
)
_DELETE_ABOUT = tuple(
    delete(table).where(table.c.slot == bindparam("slot_"), _is_about(table, other))
    for table, other in _ABOUT
)


class ErasureRepository:
    """Finds and deletes what is known of deleted users."""

    def __init__(self) -> None:
        self._lists = (
            RelationTable(contacts, owner="owner", other="contact"),
            RelationTable(blocks, owner="blocker", other="blocked"),
        )

    async def list_due(
        self, session: ReadSession, slot: Slot, grace: timedelta, limit: int
    ) -> list[EntityId]:
        """Users of a slot who were deleted longer than ``grace`` ago, the first ones first."""
        parameters = {"slot_": slot, "grace": grace, "limit_": limit}
        return [EntityId(slot, row.id) for row in await session.execute(_DUE, parameters)]

    async def lock_due(self, session: WriteSession, user_id: EntityId, grace: timedelta) -> bool:
        """Lock a user who is due; False: not any more, or somebody else is at it."""
        found = await session.execute(_LOCK_DUE, {**_key(user_id), "grace": grace})
        return found.one_or_none() is not None

    async def delete_lists(self, session: WriteSession, user_id: EntityId, limit: int) -> int:
        """Delete some of the user's contacts and blocks; how many."""
        return sum([len(await rows.remove_some(session, user_id, limit)) for rows in self._lists])

    async def scrub(
        self, session: WriteSession, user_id: EntityId, *, updated_at: datetime
    ) -> None:
        """Delete what else is the user's own, and leave of their row what stubs need."""
        for statement in _DELETE_OWN:
            await session.execute(statement, _key(user_id))
        await session.execute(_SCRUB, {**_key(user_id), "updated_at_": updated_at})

    async def list_slots_about(self, session: ReadSession, user_id: EntityId) -> Sequence[Slot]:
        """Where on the session's shard others have the user as a contact or blocked, or a value is
        reserved for the user.
        """
        return [Slot(row.slot) for row in await session.execute(_SLOTS_ABOUT, _about(user_id))]

    async def delete_about(self, session: WriteSession, user_id: EntityId) -> None:
        """Delete those rows in the session's slot."""
        for statement in _DELETE_ABOUT:
            await session.execute(statement, {"slot_": session.slot, **_about(user_id)})


def _key(user_id: EntityId) -> dict[str, Any]:
    return {"slot_": user_id.slot, "id_": user_id.uuid}


def _about(user_id: EntityId) -> dict[str, Any]:
    return {"about_slot_": user_id.slot, "about_id_": user_id.uuid}
