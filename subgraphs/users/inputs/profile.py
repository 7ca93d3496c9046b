"""Inputs of changing one's own profile."""

import strawberry

from subgraphs.users.service import ProfileChange

__all__ = ["UpdateProfileInput"]


@strawberry.input(description="What to change of one's profile; what is left out stays.")
class UpdateProfileInput:
    """See ``Mutation.updateProfile``."""

    handle: str | None = None
    display_name: str | None = None
    bio: str | None = None

    def to_change(self) -> ProfileChange:
        """The input as the service takes it."""
        return ProfileChange(handle=self.handle, display_name=self.display_name, bio=self.bio)
