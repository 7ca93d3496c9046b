"""Presence as clients see it."""

from datetime import datetime
from typing import Self

import strawberry

from subgraphs.users.service import Presence as State

__all__ = ["Presence"]


@strawberry.type(
    description="Whether somebody is online, as far as privacySettings.lastSeen allows."
)
class Presence:
    """See ``service/presence.py``."""

    user_id: strawberry.ID
    is_online: bool = strawberry.field(description="False too when it is hidden.")
    last_seen: datetime | None = strawberry.field(
        description="The last sign of life; null when it is hidden, or there was none."
    )

    @classmethod
    def of(cls, state: State) -> Self:
        """The type of what the viewer may see."""
        return cls(
            user_id=strawberry.ID(str(state.user_id)),
            is_online=state.is_online,
            last_seen=state.last_seen,
        )
