"""What users sign in with and are known by: the SQL of the columns of `users` whose values are
unique over all shards, and of the password.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, update

from subgraphs.users.tables import AccountStatus, users

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select

    from shared.sharding import EntityId, Session, WriteSession

__all__ = ["Holdings", "HoldingsRepository", "IdentityKind"]


class IdentityKind(StrEnum):
    """The kinds of values that belong to one user at most; each is a column of `users` too."""

    EMAIL = "email"
    PHONE = "phone"
    HANDLE = "handle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """What one user holds. ``version`` changes with every change of it."""

    values: dict[IdentityKind, str | None]
    password_hash: str | None
    status: AccountStatus
    version: datetime

    @property
    def email(self) -> str | None:
        """The e-mail address."""
        return self.values[IdentityKind.EMAIL]


_KEY = (users.c.slot == bindparam("slot_")) & (users.c.id == bindparam("id_"))
_HOLDINGS: Select[tuple[object, ...]] = select(
    *(users.c[kind] for kind in IdentityKind),
    users.c.password_hash,
    users.c.status,
    users.c.updated_at,
).where(_KEY)
_HOLDINGS_LOCKED = _HOLDINGS.with_for_update()
_SET_EMAIL = (
    update(users)
    .where(_KEY)
    .values(
        email=bindparam("email_"),
        password_hash=bindparam("password_hash_"),
        updated_at=bindparam("updated_at_"),
    )
)
_SET_PHONE = (
    update(users).where(_KEY).values(phone=bindparam("phone_"), updated_at=bindparam("updated_at_"))
)


_SET_STATUS = (
    update(users)
    .where(_KEY)
    .values(status=bindparam("status_"), updated_at=bindparam("updated_at_"))
)
_MARK_DELETED = (
    update(users)
    .where(_KEY)
    .values(
        status=AccountStatus.DELETED,
        phone=None,
        deleted_at=bindparam("deleted_at_"),
        updated_at=bindparam("deleted_at_"),
    )
)


class HoldingsRepository:
    """Reads and writes what users hold."""

    async def find(self, session: Session, user_id: EntityId) -> Holdings | None:
        """What one user holds."""
        return await _read(session, _HOLDINGS, user_id)

    async def find_locked(self, session: WriteSession, user_id: EntityId) -> Holdings | None:
        """The same; the user's row stays as it is until the transaction ends."""
        return await _read(session, _HOLDINGS_LOCKED, user_id)

    async def set_email(
        self,
        session: WriteSession,
        user_id: EntityId,
        *,
        email: str,
        password_hash: str,
        updated_at: datetime,
    ) -> None:
        """Store an e-mail address, and the password that goes with it."""
        parameters = {"email_": email, "password_hash_": password_hash, "updated_at_": updated_at}
        await session.execute(_SET_EMAIL, {**_key(user_id), **parameters})

    async def set_phone(
        self, session: WriteSession, user_id: EntityId, *, phone: str, updated_at: datetime
    ) -> None:
        """Store a phone number."""
        parameters = {"phone_": phone, "updated_at_": updated_at}
        await session.execute(_SET_PHONE, {**_key(user_id), **parameters})

    async def set_status(
        self,
        session: WriteSession,
        user_id: EntityId,
        status: AccountStatus,
        *,
        updated_at: datetime,
    ) -> None:
        """Deactivate an account, or take it into use again."""
        parameters = {"status_": status, "updated_at_": updated_at}
        await session.execute(_SET_STATUS, {**_key(user_id), **parameters})

    async def mark_deleted(
        self, session: WriteSession, user_id: EntityId, *, deleted_at: datetime
    ) -> None:
        """Delete an account, to be erased later. Only its phone number is gone at once."""
        await session.execute(_MARK_DELETED, {**_key(user_id), "deleted_at_": deleted_at})


async def _read(
    session: Session, statement: Select[tuple[object, ...]], user_id: EntityId
) -> Holdings | None:
    row = (await session.execute(statement, _key(user_id))).one_or_none()
    if row is None:
        return None
    return Holdings(
        values={kind: getattr(row, kind) for kind in IdentityKind},
        password_hash=row.password_hash,
        status=AccountStatus(row.status),
        version=row.updated_at,
    )


def _key(user_id: EntityId) -> dict[str, object]:
    return {"slot_": user_id.slot, "id_": user_id.uuid}
