"""Inputs of changing one's own profile."""

import strawberry

from shared.graphql import parse_id
from subgraphs.users.service import AvatarChange, ProfileChange

__all__ = ["UpdateProfileInput"]


@strawberry.input(description="What to change of one's profile; what is left out stays.")
class UpdateProfileInput:
    """See ``Mutation.updateProfile``."""

    handle: str | None = None
    display_name: str | None = None
    bio: str | None = None
    avatar_media_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="A picture of the media subgraph; null removes it."
    )

    def to_change(self, slots: int) -> ProfileChange:
        """The input as the service takes it; ``slots``: for reading IDs."""
        return ProfileChange(
            handle=self.handle,
            display_name=self.display_name,
            bio=self.bio,
            avatar=self._avatar(slots),
        )

    def _avatar(self, slots: int) -> AvatarChange | None:
        media_id = self.avatar_media_id
        if media_id is strawberry.UNSET:
            return None
        if media_id is None:
            return AvatarChange(None)
        return AvatarChange(parse_id(media_id, slots=slots, field="avatarMediaId"))
