"""The SQL of the table `sessions`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert

from subgraphs.users.tables import sessions

if TYPE_CHECKING:
    from datetime import datetime

    from shared.sharding import EntityId, WriteSession

__all__ = ["SessionRecord", "SessionRepository"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """A session: a refresh token that was given out to a user."""

    id: EntityId
    user_id: EntityId
    refresh_token_hash: bytes
    created_at: datetime
    expires_at: datetime
    user_agent: str | None
    ip: str | None


_INSERT = insert(sessions)


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
                "last_used_at": record.created_at,
                "expires_at": record.expires_at,
                "user_agent": record.user_agent,
                "ip": record.ip,
            },
        )
