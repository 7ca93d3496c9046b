"""Changing one's own privacy settings."""

import strawberry

from shared.graphql import documented_mutation
from subgraphs.users.context import UsersInfo
from subgraphs.users.inputs import PrivacySettingsInput
from subgraphs.users.types import PrivacySettings

__all__ = ["PrivacyMutations"]


@strawberry.type
class PrivacyMutations:
    """A part of ``Mutation``."""

    @documented_mutation
    async def update_privacy_settings(
        self, info: UsersInfo, input: PrivacySettingsInput
    ) -> PrivacySettings:
        """Change who may see which part of one's own profile, at once."""
        context = info.context
        settings = await context.services.privacy.update(context.viewer, input.to_change())
        context.forget_loaded()
        return PrivacySettings.of(settings)
