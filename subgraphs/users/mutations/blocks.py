"""Blocking others."""

import strawberry

from shared.graphql import documented_mutation, parse_id
from subgraphs.users.context import UsersInfo
from subgraphs.users.types import User

__all__ = ["BlockMutations"]


@strawberry.type
class BlockMutations:
    """A part of ``Mutation``."""

    @documented_mutation
    async def block_user(self, info: UsersInfo, user_id: strawberry.ID) -> User:
        """Block a user: they see nothing of one's profile, and the follows between the two end."""
        context = info.context
        viewer = context.viewer
        other = parse_id(user_id, slots=context.slots, field="userId")
        profile = await context.services.blocks.block(viewer, other)
        context.forget_loaded()
        return User.of(profile)

    @documented_mutation
    async def unblock_user(self, info: UsersInfo, user_id: strawberry.ID) -> User:
        """Take a block back. Follows do not come back."""
        context = info.context
        viewer = context.viewer
        other = parse_id(user_id, slots=context.slots, field="userId")
        profile = await context.services.blocks.unblock(viewer, other)
        context.forget_loaded()
        return User.of(profile)
