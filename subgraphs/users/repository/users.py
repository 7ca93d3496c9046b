"""The SQL of the table `users`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from shared.db.by_ids import id_parameters, select_by_ids
from shared.sharding import EntityId, Slot
from subgraphs.users.tables import AccountStatus, users

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from shared.pagination import Key
    from shared.sharding import ReadSession, Session, WriteSession

__all__ = ["Credentials", "UserRecord", "UserRepository"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRecord:
    """A user as stored, without the password. ``email`` is private: show it by the service's rules
    only.
    """

    id: EntityId
    email: str | None
    handle: str
    display_name: str
    bio: str
    status: AccountStatus
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What signing in needs to know of a user."""

    user: UserRecord
    password_hash: str | None
    scopes: frozenset[str]


_PROFILE = (
    users.c.slot,
    users.c.id,
    users.c.email,
    users.c.handle,
    users.c.display_name,
    users.c.bio,
    users.c.status,
    users.c.created_at,
)
_IS_USER = (users.c.slot == bindparam("slot_")) & (users.c.id == bindparam("id_"))

_BY_IDS = select_by_ids(users, *_PROFILE)
_BY_ID = select(*_PROFILE).where(_IS_USER)
_BY_ID_LOCKED = _BY_ID.with_for_update()
_CREDENTIALS = select(*_PROFILE, users.c.password_hash, users.c.scopes).where(_IS_USER)
_NEWEST = select(*_PROFILE).order_by(users.c.id.desc()).limit(bindparam("limit_"))
_NEWEST_AFTER = _NEWEST.where(users.c.id < bindparam("after_"))
_INSERT = insert_or_ignore(users).on_conflict_do_nothing(index_elements=["slot", "id"])
_UPDATE_PROFILE = (
    update(users)
    .where(_IS_USER)
    .values(
        handle=bindparam("handle_"),
        display_name=bindparam("display_name_"),
        bio=bindparam("bio_"),
        updated_at=bindparam("updated_at_"),
    )
)
_UPDATE_PASSWORD = update(users).where(_IS_USER).values(password_hash=bindparam("password_hash_"))


class UserRepository:
    """Reads and writes users."""

    async def load_many_users(
        self, session: ReadSession, ids: Sequence[EntityId]
    ) -> dict[EntityId, UserRecord]:
        """The users with these IDs, which all lie on the session's shard; one statement."""
        rows = await session.execute(_BY_IDS, id_parameters(ids))
        records = map(_user, rows)
        return {record.id: record for record in records}

    async def find_user(self, session: Session, user_id: EntityId) -> UserRecord | None:
        """One user."""
        row = (await session.execute(_BY_ID, _key(user_id))).one_or_none()
        return None if row is None else _user(row)

    async def find_user_locked(self, session: WriteSession, user_id: EntityId) -> UserRecord | None:
        """One user, whose row stays as it is until the transaction ends."""
        row = (await session.execute(_BY_ID_LOCKED, _key(user_id))).one_or_none()
        return None if row is None else _user(row)

    async def find_credentials(self, session: ReadSession, user_id: EntityId) -> Credentials | None:
        """One user, with what signing in needs."""
        row = (await session.execute(_CREDENTIALS, _key(user_id))).one_or_none()
        if row is None:
            return None
        return Credentials(
            user=_user(row), password_hash=row.password_hash, scopes=frozenset(row.scopes)
        )

    async def list_newest(
        self, session: ReadSession, after: Key | None, limit: int
    ) -> list[UserRecord]:
        """Users of one shard, newest first; ``after`` is the UUID of the one before."""
        if after is None:
            rows = await session.execute(_NEWEST, {"limit_": limit})
        else:
            rows = await session.execute(_NEWEST_AFTER, {"limit_": limit, "after_": after[0]})
        return [_user(row) for row in rows]

    async def insert_user(
        self, session: WriteSession, user: UserRecord, *, password_hash: str | None
    ) -> bool:
        """Insert a new user; False when a user with this ID is there already."""
        result = await session.execute(
            _INSERT,
            {
                "slot": user.id.slot,
                "id": user.id.uuid,
                "email": user.email,
                "handle": user.handle,
                "display_name": user.display_name,
                "bio": user.bio,
                "password_hash": password_hash,
                "status": user.status,
                "created_at": user.created_at,
                "updated_at": user.created_at,
            },
        )
        return result.rowcount == 1

    async def update_profile(
        self, session: WriteSession, user: UserRecord, *, updated_at: datetime
    ) -> None:
        """Store handle, name and bio of a user."""
        await session.execute(
            _UPDATE_PROFILE,
            {
                **_key(user.id),
                "handle_": user.handle,
                "display_name_": user.display_name,
                "bio_": user.bio,
                "updated_at_": updated_at,
            },
        )

    async def update_password(
        self, session: WriteSession, user_id: EntityId, password_hash: str
    ) -> None:
        """Store another hash of a user's password."""
        await session.execute(_UPDATE_PASSWORD, {**_key(user_id), "password_hash_": password_hash})


def _key(user_id: EntityId) -> dict[str, object]:
    return {"slot_": user_id.slot, "id_": user_id.uuid}


def _user(row: Row[Any]) -> UserRecord:  # Any: the columns are those of _PROFILE
    return UserRecord(
        id=EntityId(Slot(row.slot), row.id),
        email=row.email,
        handle=row.handle,
        display_name=row.display_name,
        bio=row.bio,
        status=AccountStatus(row.status),
        created_at=row.created_at,
    )
