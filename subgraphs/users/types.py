"""GraphQL types of the users subgraph, and how a reference to a user is resolved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

import strawberry

from shared.graphql import Connection, load_items
from shared.sharding import EntityId
from subgraphs.users.context import UsersInfo
from subgraphs.users.service import Profile, SignedIn
from subgraphs.users.tables import AccountStatus

__all__ = ["AuthPayload", "User", "UserConnection"]

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


@strawberry.type(description="A signed-in user, and the tokens of the new session.")
class AuthPayload:
    """The answer to signing in."""

    user: User
    access_token: str = strawberry.field(description="For the Authorization header, as Bearer.")
    refresh_token: str = strawberry.field(description="Good for 30 days; shown only here.")
    expires_in: int = strawberry.field(description="Seconds that the access token lives.")

    @classmethod
    def of(cls, signed_in: SignedIn, *, expires_in: int) -> Self:
        """The payload of a sign-in."""
        return cls(
            user=User.of(signed_in.profile),
            access_token=signed_in.access_token.text,
            refresh_token=signed_in.refresh_token,
            expires_in=expires_in,
        )
