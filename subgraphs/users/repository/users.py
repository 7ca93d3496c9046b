"""The SQL of the table `users`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_ignore

from shared.db.by_ids import id_parameters, select_by_ids
from shared.sharding import EntityId, Slot
from shared.text import folded_words
from subgraphs.users.repository.privacy import (
    DEFAULT_PRIVACY,
    PRIVACY_COLUMNS,
    PrivacyRecord,
    privacy_record,
)
from subgraphs.users.repository.regard import REGARD_COLUMNS, Regard, regard, viewer_parameters
from subgraphs.users.tables import AccountStatus, users

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from shared.pagination import Key
    from shared.sharding import ReadSession, Session, WriteSession

__all__ = [
    "SEEN_COLUMNS",
    "Credentials",
    "SeenUser",
    "UserRecord",
    "UserRepository",
    "search_name",
    "seen_user",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRecord:
    """A user as stored, without the password. Who sees what of it is the service's decision."""

    id: EntityId
    email: str | None
    phone: str | None = None
    handle: str
    display_name: str
    bio: str
    avatar_media_id: str | None = None
    status: AccountStatus
    created_at: datetime
    last_seen_at: datetime | None = None
    follower_count: int = 0
    following_count: int = 0
    privacy: PrivacyRecord = DEFAULT_PRIVACY


@dataclass(frozen=True, slots=True)
class SeenUser:
    """A user, with what they have on record about the one who looks."""

    user: UserRecord
    regard: Regard


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
    users.c.phone,
    users.c.handle,
    users.c.display_name,
    users.c.bio,
    users.c.avatar_media_id,
    users.c.status,
    users.c.created_at,
    users.c.last_seen_at,
    users.c.follower_count,
    users.c.following_count,
    *PRIVACY_COLUMNS,
)
SEEN_COLUMNS = (*_PROFILE, *REGARD_COLUMNS)
"""What ``seen_user`` reads; the statement needs ``viewer_parameters``."""

_IS_USER = (users.c.slot == bindparam("slot_")) & (users.c.id == bindparam("id_"))

_SEEN_BY_IDS = select_by_ids(users, *SEEN_COLUMNS)
_SEEN_BY_ID = select(*SEEN_COLUMNS).where(_IS_USER)
_BY_ID = select(*_PROFILE).where(_IS_USER)
_BY_ID_LOCKED = _BY_ID.with_for_update()
_CREDENTIALS = select(*_PROFILE, users.c.password_hash, users.c.scopes).where(_IS_USER)
_NEWEST = select(*SEEN_COLUMNS).order_by(users.c.id.desc()).limit(bindparam("limit_"))
_NEWEST_AFTER = _NEWEST.where(users.c.id < bindparam("after_"))
_INSERT = insert_or_ignore(users).on_conflict_do_nothing(index_elements=["slot", "id"])
_UPDATE_PROFILE = (
    update(users)
    .where(_IS_USER)
    .values(
        handle=bindparam("handle_"),
        display_name=bindparam("display_name_"),
        search_name=bindparam("search_name_"),
        bio=bindparam("bio_"),
        avatar_media_id=bindparam("avatar_media_id_"),
        updated_at=bindparam("updated_at_"),
    )
)
_UPDATE_PASSWORD = update(users).where(_IS_USER).values(password_hash=bindparam("password_hash_"))


class UserRepository:
    """Reads and writes users."""

    async def load_many_seen(
        self, session: ReadSession, ids: Sequence[EntityId], *, viewer_id: EntityId | None
    ) -> dict[EntityId, SeenUser]:
        """The users with these IDs, which all lie on the session's shard, with what they have on
        record about the viewer; one statement.
        """
        parameters = {**id_parameters(ids), **viewer_parameters(viewer_id)}
        seen = map(seen_user, await session.execute(_SEEN_BY_IDS, parameters))
        return {each.user.id: each for each in seen}

    async def find_seen(
        self, session: Session, user_id: EntityId, *, viewer_id: EntityId | None
    ) -> SeenUser | None:
        """One user, with what they have on record about the viewer."""
        parameters = {**_key(user_id), **viewer_parameters(viewer_id)}
        row = (await session.execute(_SEEN_BY_ID, parameters)).one_or_none()
        return None if row is None else seen_user(row)

    async def find_user(self, session: Session, user_id: EntityId) -> UserRecord | None:
        """One user."""
        row = (await session.execute(_BY_ID, _key(user_id))).one_or_none()
        return None if row is None else _user(row)

    async def find_user_locked(self, session: WriteSession, user_id: EntityId) -> UserRecord | None:
        """One user, whose row stays as it is until the transaction ends."""
        row = (await session.execute(_BY_ID_LOCKED, _key(user_id))).one_or_none()
        return None if row is None else _user(row)

    async def find_credentials(self, session: Session, user_id: EntityId) -> Credentials | None:
        """One user, with what signing in needs."""
        row = (await session.execute(_CREDENTIALS, _key(user_id))).one_or_none()
        if row is None:
            return None
        return Credentials(
            user=_user(row), password_hash=row.password_hash, scopes=frozenset(row.scopes)
        )

    async def list_newest(
        self, viewer_id: EntityId | None, session: ReadSession, after: Key | None, limit: int
    ) -> list[SeenUser]:
        """Users of one shard, newest first, as the viewer comes to them; ``after`` is the UUID of
        the one before.
        """
        parameters = {**viewer_parameters(viewer_id), "limit_": limit}
        if after is None:
            rows = await session.execute(_NEWEST, parameters)
        else:
            rows = await session.execute(_NEWEST_AFTER, {**parameters, "after_": after[0]})
        return [seen_user(row) for row in rows]

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
                "phone": user.phone,
                "handle": user.handle,
                "display_name": user.display_name,
                "search_name": search_name(user.display_name),
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
        """Store handle, name, bio and avatar of a user."""
        await session.execute(
            _UPDATE_PROFILE,
            {
                **_key(user.id),
                "handle_": user.handle,
                "display_name_": user.display_name,
                "search_name_": search_name(user.display_name),
                "bio_": user.bio,
                "avatar_media_id_": user.avatar_media_id,
                "updated_at_": updated_at,
            },
        )

    async def update_password(
        self, session: WriteSession, user_id: EntityId, password_hash: str
    ) -> None:
        """Store another hash of a user's password."""
        await session.execute(_UPDATE_PASSWORD, {**_key(user_id), "password_hash_": password_hash})


def search_name(display_name: str) -> str:
    """What is stored of a name to find it by: its words, in any case found whole."""
    return " ".join(dict.fromkeys(folded_words(display_name)))


def _key(user_id: EntityId) -> dict[str, object]:
    return {"slot_": user_id.slot, "id_": user_id.uuid}


def seen_user(row: Row[Any]) -> SeenUser:  # Any: the row has SEEN_COLUMNS
    """The user in a row, and how they stand to the viewer."""
    return SeenUser(_user(row), regard(row))


def _user(row: Row[Any]) -> UserRecord:  # Any: the columns are those of _PROFILE
    return UserRecord(
        id=EntityId(Slot(row.slot), row.id),
        email=row.email,
        phone=row.phone,
        handle=row.handle,
        display_name=row.display_name,
        bio=row.bio,
        avatar_media_id=row.avatar_media_id,
        status=AccountStatus(row.status),
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        follower_count=row.follower_count,
        following_count=row.following_count,
        privacy=privacy_record(row),
    )
