"""The type User, and how a reference to a user is resolved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

import strawberry

from shared.graphql import Connection, documented_field, load_items
from shared.pagination import PageRequest, page_request
from shared.sharding import EntityId
from subgraphs.users.context import UsersInfo
from subgraphs.users.errors import PresenceUnavailableError
from subgraphs.users.loaders import ListPages
from subgraphs.users.repository import Standing
from subgraphs.users.service import Profile, StoredPresence, presence_of
from subgraphs.users.tables import AccountStatus
from subgraphs.users.types.lists import load_listed
from subgraphs.users.types.media import Media
from subgraphs.users.types.presence import Presence

__all__ = ["User", "UserConnection"]

strawberry.enum(AccountStatus, description="Whether an account is in use.")


@strawberry.federation.type(keys=["id"], description="Somebody with an account.")
class User:
    """A user as the viewer may see it.

    Fields with resolvers ask ``profile.sight`` before they answer.
    """

    profile: strawberry.Private[Profile]
    id: strawberry.ID
    handle: str = strawberry.field(
        description="Unique, lower case: [a-z0-9_]{3,30}. That of who has blocked the caller is "
        "`unavailable`, of a deleted account `deleted`."
    )
    display_name: str
    bio: str = strawberry.field(description="As far as privacySettings.about allows, else empty.")
    avatar: Media | None = strawberry.field(
        description="As far as privacySettings.profilePhoto allows."
    )
    email: str | None = strawberry.field(description="Only to oneself.")
    phone: str | None = strawberry.field(
        description="Only to oneself and to those whom one has as contact."
    )
    created_at: datetime
    status: AccountStatus
    follower_count: int = strawberry.field(
        description="How many follow them. Counts a new one a moment after `follow`."
    )
    following_count: int = strawberry.field(description="How many they follow.")

    @documented_field
    async def followers(
        self,
        info: UsersInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> "UserConnection":
        """Who follows them, newest first. A page may be shorter than asked for: those whom the
        viewer may not see are left out.
        """
        request = page_request(first=first, after=after, last=last, before=before)
        return await _load_related(info, self.profile, info.context.loaders.followers, request)

    @documented_field
    async def following(
        self,
        info: UsersInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> "UserConnection":
        """Whom they follow, newest first. A page may be shorter than asked for: those whom the
        viewer may not see are left out.
        """
        request = page_request(first=first, after=after, last=last, before=before)
        return await _load_related(info, self.profile, info.context.loaders.following, request)

    @documented_field
    async def is_followed_by_me(self, info: UsersInfo) -> bool:
        """Whether the caller follows them."""
        return (await self._standing(info)).follows

    @documented_field
    async def follows_me(self, info: UsersInfo) -> bool:
        """Whether they follow the caller."""
        return (await self._standing(info)).is_followed

    @documented_field
    async def is_contact(self, info: UsersInfo) -> bool:
        """Whether the caller has them as a contact."""
        return (await self._standing(info)).has_as_contact

    @documented_field
    async def is_blocked_by_me(self, info: UsersInfo) -> bool:
        """Whether the caller has blocked them."""
        return (await self._standing(info)).has_blocked

    @documented_field
    async def presence(self, info: UsersInfo) -> Presence:
        """Whether the user is online, as far as privacySettings.lastSeen allows. While presence is
        unavailable nobody is, with an error beside it.
        """
        context, profile = info.context, self.profile
        now = context.services.presence.now()
        if not profile.sight.last_seen:
            return Presence.of(presence_of(profile, StoredPresence(), now))
        try:
            stored = await context.loaders.presence_by_id.load(profile.id)
        except PresenceUnavailableError as error:
            context.report(error, info.path.as_list())
            stored = StoredPresence()
        return Presence.of(presence_of(profile, stored, now))

    @classmethod
    def of(cls, profile: Profile) -> Self:
        """The type of a profile, which already has only what the viewer may see."""
        return cls(
            profile=profile,
            id=strawberry.ID(str(profile.id)),
            handle=profile.handle,
            display_name=profile.display_name,
            bio=profile.bio,
            avatar=_avatar(profile),
            email=profile.email,
            phone=profile.phone,
            created_at=profile.created_at,
            status=profile.status,
            follower_count=profile.follower_count,
            following_count=profile.following_count,
        )

    @classmethod
    def listed(cls, profile: Profile) -> Self | None:
        """The type of a profile that a look-up or a list came to; None when it is not for these."""
        return cls.of(profile) if profile.sight.listed else None

    @classmethod
    async def resolve_references(
        cls, info: UsersInfo, ids: list[EntityId]
    ) -> Sequence[Self | Exception | None]:
        """The users of entity references, one batch; who is hidden renders as a stub."""
        return await load_items(info.context.loaders.profile_by_id, ids, cls.of)

    async def _standing(self, info: UsersInfo) -> Standing:
        return await info.context.loaders.standing_with.load(self.profile.id)


def _avatar(profile: Profile) -> Media | None:
    media_id = profile.avatar_media_id
    return None if media_id is None else Media(id=strawberry.ID(media_id))


UserConnection = Connection[User]


async def _load_related(
    info: UsersInfo, profile: Profile, pages: ListPages, request: PageRequest
) -> UserConnection:
    """A page of a list of this user's, without those who are not to be seen."""
    if not profile.sight.profile:
        return UserConnection.from_pairs([], has_next_page=False, has_previous_page=False)
    page = await pages.load(request, profile.id)
    listed = await load_listed(info, page, lambda row: row.user_id)
    return UserConnection.of_part(
        page, [(cursor, User.of(other)) for cursor, _, other in listed if other.sight.profile]
    )
