"""Following others."""

import strawberry

from shared.graphql import documented_mutation, parse_id
from shared.sharding import EntityId
from subgraphs.users.context import UsersContext, UsersInfo
from subgraphs.users.errors import UserNotFoundError
from subgraphs.users.types import User

__all__ = ["FollowMutations"]


@strawberry.type
class FollowMutations:
    """A part of ``Mutation``."""

    @documented_mutation
    async def follow(self, info: UsersInfo, user_id: strawberry.ID) -> User:
        """Follow a user. Their own list and number of followers have it a moment later.

        USER_BLOCKED when one of you has blocked the other.
        """
        context = info.context
        viewer = context.viewer
        followee = parse_id(user_id, slots=context.slots, field="userId")
        await context.services.follows.follow(viewer, followee)
        return await _load(context, followee)

    @documented_mutation
    async def unfollow(self, info: UsersInfo, user_id: strawberry.ID) -> User:
        """Follow a user no more."""
        context = info.context
        viewer = context.viewer
        followee = parse_id(user_id, slots=context.slots, field="userId")
        await context.services.follows.unfollow(viewer, followee)
        return await _load(context, followee)


async def _load(context: UsersContext, user_id: EntityId) -> User:
    """The user as they are after the change."""
    context.forget_loaded()
    profile = await context.loaders.profile_by_id.load(user_id)
    if profile is None:
        raise UserNotFoundError
    return User.of(profile)
