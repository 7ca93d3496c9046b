"""The type Session: a sign-in on one device."""

from datetime import datetime
from typing import Self

import strawberry

from shared.auth import Viewer
from subgraphs.users.repository import SessionRecord

__all__ = ["Session"]


@strawberry.type(description="A sign-in on one device; it lasts as long as it is refreshed.")
class Session:
    """A session as its own user sees it."""

    id: strawberry.ID
    created_at: datetime
    last_used_at: datetime = strawberry.field(description="When it was opened or refreshed last.")
    user_agent: str | None = strawberry.field(description="What the client says it is.")
    ip: str | None = strawberry.field(description="The address it was opened or refreshed from.")
    is_current: bool = strawberry.field(description="Whether this request is part of it.")

    @classmethod
    def of(cls, record: SessionRecord, viewer: Viewer) -> Self:
        """The type of a session of the viewer's."""
        return cls(
            id=strawberry.ID(str(record.id)),
            created_at=record.created_at,
            last_used_at=record.last_used_at,
            user_agent=record.user_agent,
            ip=record.ip,
            is_current=record.id == viewer.session_id,
        )
