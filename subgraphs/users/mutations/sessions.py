"""Keeping sessions, and ending them."""

import strawberry

from shared.graphql import documented_mutation, parse_id
from subgraphs.users.context import UsersInfo
from subgraphs.users.types import AuthPayload

__all__ = ["SessionMutations"]


@strawberry.type
class SessionMutations:
    """A part of ``Mutation``."""

    @documented_mutation
    async def refresh_session(self, info: UsersInfo, refresh_token: str) -> AuthPayload:
        """Exchange a refresh token for an access token and the next refresh token. Public.

        Each refresh token works once. For a few seconds the one used last gets the same answer
        again; any that is used a second time after that ends its session.
        """
        sessions, client = info.context.services.sessions, info.context.client
        signed_in = await sessions.refresh(refresh_token, client)
        return AuthPayload.of(signed_in, expires_in=sessions.token_seconds)

    @documented_mutation
    async def logout(self, info: UsersInfo) -> bool:
        """End the session that the access token is of; false when it was over already."""
        return await info.context.services.sessions.end_current(info.context.viewer)

    @documented_mutation
    async def logout_everywhere(self, info: UsersInfo) -> int:
        """End all of one's sessions, this one too; how many there were."""
        return await info.context.services.sessions.end_everywhere(info.context.viewer)

    @documented_mutation
    async def revoke_session(self, info: UsersInfo, id: strawberry.ID) -> bool:
        """End one of one's own sessions; NOT_FOUND when there is no such open one."""
        context = info.context
        viewer = context.viewer
        await context.services.sessions.end_one(viewer, parse_id(id, slots=context.slots))
        return True
