"""Signs of life."""

import strawberry

from shared.graphql import documented_mutation
from subgraphs.users.context import UsersInfo
from subgraphs.users.types import Presence

__all__ = ["PresenceMutations"]


@strawberry.type
class PresenceMutations:
    """A part of ``Mutation``."""

    @documented_mutation
    async def heartbeat(self, info: UsersInfo) -> Presence:
        """Be online for the next 60 seconds; to be sent every 30 while the client is used."""
        context = info.context
        presence = await context.services.presence.heartbeat(context.viewer)
        context.forget_loaded()
        return Presence.of(presence)
