"""Where one is signed in."""

import strawberry

from shared.graphql import documented_field
from subgraphs.users.context import UsersInfo
from subgraphs.users.types import Session

__all__ = ["SessionQueries"]


@strawberry.type
class SessionQueries:
    """A part of ``Query``."""

    @documented_field
    async def sessions(self, info: UsersInfo) -> list[Session]:
        """One's own open sessions, the last used first; at most 100."""
        viewer = info.context.viewer
        records = await info.context.services.sessions.list_sessions(viewer)
        return [Session.of(record, viewer) for record in records]
