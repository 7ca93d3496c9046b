"""Inputs of changing privacy settings."""

import strawberry

from subgraphs.users.service import PrivacyChange
from subgraphs.users.types import Visibility

__all__ = ["PrivacySettingsInput"]


@strawberry.input(description="What to change of one's privacy; what is left out or null stays.")
class PrivacySettingsInput:
    """See ``Mutation.updatePrivacySettings``."""

    last_seen: Visibility | None = None
    profile_photo: Visibility | None = None
    about: Visibility | None = None
    read_receipts: bool | None = None

    def to_change(self) -> PrivacyChange:
        """The input as the service takes it."""
        return PrivacyChange(
            last_seen=self.last_seen,
            profile_photo=self.profile_photo,
            about=self.about,
            read_receipts=self.read_receipts,
        )
