"""The type User, and how a reference to a user is resolved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

import strawberry

from shared.graphql import Connection, load_items
from shared.sharding import EntityId
from subgraphs.users.context import UsersInfo
from subgraphs.users.service import Profile
from subgraphs.users.tables import AccountStatus

__all__ = ["User", "UserConnection"]

strawberry.enum(AccountStatus, description="Whether an account is in use.")


@strawberry.federation.type(keys=["id"], description="Somebody with an account.")
class User:
    """A user as the viewer may see it."""

    id: strawberry.ID
    handle: str = strawberry.field(description="Unique, lower case: [a-z0-9_]{3,30}.")
    display_name: str
    bio: str
    email: str | None = strawberry.field(description="Only to oneself.")
    created_at: datetime
    status: AccountStatus

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """The type of a profile, which already has only what the viewer may see."""
        return cls(
            id=strawberry.ID(str(profile.id)),
            handle=profile.handle,
            display_name=profile.display_name,
            bio=profile.bio,
            email=profile.email,
            created_at=profile.created_at,
            status=profile.status,
        )

    @classmethod
    async def resolve_references(
        cls, info: UsersInfo, ids: list[EntityId]
    ) -> Sequence[Self | Exception | None]:
        """The users of entity references, one batch."""
        return await load_items(info.context.loaders.profile_by_id, ids, cls.of)


UserConnection = Connection[User]
