"""Asking for one's own privacy settings."""

import strawberry

from shared.graphql import documented_field
from subgraphs.users.context import UsersInfo
from subgraphs.users.types import PrivacySettings

__all__ = ["PrivacyQueries"]


@strawberry.type
class PrivacyQueries:
    """A part of ``Query``."""

    @documented_field
    async def privacy_settings(self, info: UsersInfo) -> PrivacySettings:
        """Who may see which part of one's own profile."""
        context = info.context
        return PrivacySettings.of(await context.services.privacy.get(context.viewer))
