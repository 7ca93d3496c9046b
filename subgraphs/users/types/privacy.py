"""Privacy settings as clients see them."""

from datetime import datetime

import strawberry

from subgraphs.users.service import PrivacySettings as Settings
from subgraphs.users.tables import Visibility

__all__ = ["PrivacySettings", "Visibility"]

strawberry.enum(
    Visibility,
    description="Who may see a part of a profile; CONTACTS are those whom the user has as contact.",
)


@strawberry.type(description="Who may see which part of one's own profile.")
class PrivacySettings:
    """The viewer's own settings."""

    last_seen: Visibility = strawberry.field(description="Whether and when one is online.")
    profile_photo: Visibility = strawberry.field(description="The avatar.")
    about: Visibility = strawberry.field(description="The bio.")
    read_receipts: bool = strawberry.field(description="Whether others learn what one has read.")
    updated_at: datetime

    @classmethod
    def of(cls, settings: Settings) -> "PrivacySettings":
        """The type of settings."""
        return cls(
            last_seen=settings.last_seen,
            profile_photo=settings.profile_photo,
            about=settings.about,
            read_receipts=settings.read_receipts,
            updated_at=settings.updated_at,
        )
