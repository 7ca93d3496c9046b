"""The SQL of the tables `sessions` and `used_refresh_tokens`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, insert, select, tuple_, update

from shared.sharding import EntityId, Slot
from subgraphs.users.tables import sessions, used_refresh_tokens

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Row

    from shared.sharding import Session, WriteSession

__all__ = ["SessionRecord", "SessionRepository", "UsedRefreshToken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session: a refresh token that was given out to a user, and those that came after it.

    Only the last one's hash is here. A session that was ended (``revoked_at``) is kept for a while,
    so that what was stolen of it is still known.
    """

    id: EntityId
    user_id: EntityId
    refresh_token_hash: bytes
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    user_agent: str | None
    ip: str | None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedRefreshToken:
    """A refresh token that has been exchanged; ``successor_salt`` is for making the same again."""

    session_id: EntityId
    token_hash: bytes
    used_at: datetime
    successor_salt: bytes | None


_COLUMNS = (
    sessions.c.slot,
    sessions.c.id,
    sessions.c.user_id,
    sessions.c.refresh_token_hash,
    sessions.c.created_at,
    sessions.c.last_used_at,
    sessions.c.expires_at,
    sessions.c.user_agent,
    sessions.c.ip,
    sessions.c.revoked_at,
)
_IS_SESSION = (sessions.c.slot == bindparam("slot_")) & (sessions.c.id == bindparam("id_"))
_IS_OF_USER = (sessions.c.slot == bindparam("slot_")) & (sessions.c.user_id == bindparam("user_"))
_IS_OPEN = sessions.c.revoked_at.is_(None) & (sessions.c.expires_at > bindparam("now_"))
_USED = used_refresh_tokens.c

_INSERT = insert(sessions)
_LOCKED = select(*_COLUMNS).where(_IS_SESSION).with_for_update()
_OPEN_OF_USER = (
    select(*_COLUMNS)
    .where(_IS_OF_USER, _IS_OPEN)
    .order_by(sessions.c.last_used_at.desc(), sessions.c.id.desc())
    .limit(bindparam("limit_"))
)
_ROTATE = (
    update(sessions)
    .where(_IS_SESSION)
    .values(
        refresh_token_hash=bindparam("hash_"),
        last_used_at=bindparam("now_"),
        expires_at=bindparam("expires_at_"),
        # what is not known of a client now was perhaps known before
        user_agent=func.coalesce(bindparam("user_agent_"), sessions.c.user_agent),
        ip=func.coalesce(bindparam("ip_"), sessions.c.ip),
    )
)
_INSERT_USED = insert(used_refresh_tokens)
_FIND_USED = select(_USED.used_at, _USED.successor_salt).where(
    _USED.slot == bindparam("slot_"),
    _USED.session_id == bindparam("id_"),
    _USED.token_hash == bindparam("hash_"),
)
# what has been ended expires as well: one index finds all that is to be forgotten
_END = update(sessions).values(
    revoked_at=bindparam("now_"),
    expires_at=func.least(sessions.c.expires_at, bindparam("now_")),
)
_END_ALL = _END.where(_IS_OF_USER, _IS_OPEN).returning(sessions.c.id)
_END_OTHERS = _END_ALL.where(sessions.c.id != bindparam("keep_"))
_END_ONE = _END_ALL.where(sessions.c.id == bindparam("id_"))

_gone = (
    delete(sessions)
    .where(
        tuple_(sessions.c.slot, sessions.c.id).in_(
            select(sessions.c.slot, sessions.c.id)
            .where(
                sessions.c.slot == bindparam("slot_"), sessions.c.expires_at < bindparam("before_")
            )
            .limit(bindparam("limit_"))
        )
    )
    .returning(sessions.c.id)
    .cte("gone")
)
_used_of_gone = (
    delete(used_refresh_tokens)
    .where(_USED.slot == bindparam("slot_"), _USED.session_id.in_(select(_gone.c.id)))
    .cte("used_of_gone")
)
_PRUNE_SESSIONS = select(func.count()).select_from(_gone).add_cte(_used_of_gone)
_PRUNE_USED = delete(used_refresh_tokens).where(
    tuple_(_USED.slot, _USED.session_id, _USED.token_hash).in_(
        select(_USED.slot, _USED.session_id, _USED.token_hash)
        .where(_USED.slot == bindparam("slot_"), _USED.used_at < bindparam("before_"))
        .limit(bindparam("limit_"))
    )
)


class SessionRepository:
    """Reads and writes sessions."""

    async def insert(self, session: WriteSession, record: SessionRecord) -> None:
        """Insert a new session."""
        await session.execute(
            _INSERT,
            {
                "slot": record.id.slot,
                "id": record.id.uuid,
                "user_id": record.user_id.uuid,
                "refresh_token_hash": record.refresh_token_hash,
                "created_at": record.created_at,
                "last_used_at": record.last_used_at,
                "expires_at": record.expires_at,
                "user_agent": record.user_agent,
                "ip": record.ip,
            },
        )

    async def find_locked(
        self, session: WriteSession, session_id: EntityId
    ) -> SessionRecord | None:
        """One session, open or not, whose row stays as it is until the transaction ends."""
        row = (await session.execute(_LOCKED, _key(session_id))).one_or_none()
        return None if row is None else _record(row)

    async def list_open(
        self, session: Session, user_id: EntityId, *, now: datetime, limit: int
    ) -> list[SessionRecord]:
        """The open sessions of a user, the last used first; one statement."""
        parameters = {"slot_": user_id.slot, "user_": user_id.uuid, "now_": now, "limit_": limit}
        return [_record(row) for row in await session.execute(_OPEN_OF_USER, parameters)]

    async def rotate(
        self, session: WriteSession, renewed: SessionRecord, used: UsedRefreshToken
    ) -> None:
        """Store a session with its next refresh token, and that the one before has been used."""
        await session.execute(
            _ROTATE,
            {
                **_key(renewed.id),
                "hash_": renewed.refresh_token_hash,
                "now_": renewed.last_used_at,
                "expires_at_": renewed.expires_at,
                "user_agent_": renewed.user_agent,
                "ip_": renewed.ip,
            },
        )
        await session.execute(
            _INSERT_USED,
            {
                "slot": used.session_id.slot,
                "session_id": used.session_id.uuid,
                "token_hash": used.token_hash,
                "used_at": used.used_at,
                "successor_salt": used.successor_salt,
            },
        )

    async def find_used(
        self, session: WriteSession, session_id: EntityId, token_hash: bytes
    ) -> UsedRefreshToken | None:
        """A token of a session that has been exchanged before."""
        parameters = {**_key(session_id), "hash_": token_hash}
        row = (await session.execute(_FIND_USED, parameters)).one_or_none()
        if row is None:
            return None
        return UsedRefreshToken(
            session_id=session_id,
            token_hash=token_hash,
            used_at=row.used_at,
            successor_salt=row.successor_salt,
        )

    async def end_all(
        self,
        session: WriteSession,
        user_id: EntityId,
        *,
        now: datetime,
        keep: EntityId | None = None,
    ) -> list[EntityId]:
        """End the open sessions of a user, except ``keep``; returns which."""
        parameters = {"slot_": user_id.slot, "user_": user_id.uuid, "now_": now}
        if keep is None:
            rows = await session.execute(_END_ALL, parameters)
        else:
            rows = await session.execute(_END_OTHERS, {**parameters, "keep_": keep.uuid})
        return _ids(user_id.slot, rows)

    async def end_one(
        self, session: WriteSession, user_id: EntityId, session_id: EntityId, *, now: datetime
    ) -> list[EntityId]:
        """End a session if it is open and this user's; returns which."""
        parameters = {**_key(session_id), "user_": user_id.uuid, "now_": now}
        return _ids(user_id.slot, await session.execute(_END_ONE, parameters))

    async def prune_sessions(self, session: WriteSession, *, before: datetime, limit: int) -> int:
        """Forget sessions that were over before a moment, with their used tokens; how many."""
        parameters = {"slot_": session.slot, "before_": before, "limit_": limit}
        count: int = (await session.execute(_PRUNE_SESSIONS, parameters)).scalar_one()
        return count

    async def prune_used(self, session: WriteSession, *, before: datetime, limit: int) -> int:
        """Forget tokens that were used before a moment; how many."""
        parameters = {"slot_": session.slot, "before_": before, "limit_": limit}
        return (await session.execute(_PRUNE_USED, parameters)).rowcount


def _key(session_id: EntityId) -> dict[str, object]:
    return {"slot_": session_id.slot, "id_": session_id.uuid}


def _ids(slot: Slot, rows: Iterable[Row[Any]]) -> list[EntityId]:  # Any: one column, the id
    return [EntityId(slot, row.id) for row in rows]


def _record(row: Row[Any]) -> SessionRecord:  # Any: the columns are those of _COLUMNS
    slot = Slot(row.slot)
    return SessionRecord(
        id=EntityId(slot, row.id),
        user_id=EntityId(slot, row.user_id),
        refresh_token_hash=bytes(row.refresh_token_hash),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        user_agent=row.user_agent,
        ip=row.ip,
        revoked_at=row.revoked_at,
    )
