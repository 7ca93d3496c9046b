"""Changing one's own profile."""

import strawberry

from shared.graphql import documented_mutation
from subgraphs.users.context import UsersInfo
from subgraphs.users.inputs import UpdateProfileInput
from subgraphs.users.types import User

__all__ = ["ProfileMutations"]


@strawberry.type
class ProfileMutations:
    """A part of ``Mutation``."""

    @documented_mutation
    async def update_profile(self, info: UsersInfo, input: UpdateProfileInput) -> User:
        """Change one's own profile."""
        context = info.context
        profile = await context.services.profiles.update(
            context.viewer, input.to_change(context.slots)
        )
        context.forget_loaded()
        return User.of(profile)
