"""Profiles: who sees what of a user, looking users up, changing one's own profile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from shared.auth import Scope
from shared.errors import BadUserInputError
from shared.events import append
from shared.pagination import KeyPart, Keyset
from shared.sharding import ScatterQuery, scatter
from subgraphs.users.errors import AccountInactiveError, UserNotFoundError
from subgraphs.users.events import UserUpdated
from subgraphs.users.repository import IdentityKind
from subgraphs.users.service import values
from subgraphs.users.service.visibility import Sight, own_sight, sight_of
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.auth import Viewer
    from shared.sharding import (
        EntityId,
        Identities,
        ReadSession,
        ScatterPage,
        ShardId,
        Shards,
        WriteSession,
    )
    from subgraphs.users.repository import SeenUser, UserRecord, UserRepository
    from subgraphs.users.service.identity_changes import IdentityChanges

__all__ = [
    "AvatarChange",
    "Profile",
    "ProfileChange",
    "ProfileService",
    "present",
    "present_own",
]

_NEWEST = Keyset("users:newest", (KeyPart.UUID,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A user as one viewer may see it: what is private to others is None."""

    id: EntityId
    handle: str
    display_name: str
    bio: str
    avatar_media_id: str | None
    email: str | None
    phone: str | None
    status: AccountStatus
    created_at: datetime
    last_seen_at: datetime | None
    follower_count: int
    following_count: int
    sight: Sight


@dataclass(frozen=True, slots=True)
class AvatarChange:
    """Another avatar; None: none any more."""

    media_id: EntityId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileChange:
    """What to change; None leaves a part as it is."""

    handle: str | None = None
    display_name: str | None = None
    bio: str | None = None
    avatar: AvatarChange | None = None


def present(seen: SeenUser, viewer: Viewer) -> Profile:
    """The one place that makes what a viewer sees of a user, on whatever path they came to it."""
    return _profile(seen.user, sight_of(seen, viewer))


def present_own(user: UserRecord) -> Profile:
    """What users see of themselves."""
    return _profile(user, own_sight(user))


def _profile(user: UserRecord, sight: Sight) -> Profile:
    if not sight.profile:
        return _stub(user, sight)
    return Profile(
        id=user.id,
        handle=user.handle,
        display_name=user.display_name,
        bio=user.bio if sight.about else "",
        avatar_media_id=user.avatar_media_id if sight.photo else None,
        email=user.email if sight.email else None,
        phone=user.phone if sight.phone else None,
        status=user.status,
        created_at=user.created_at,
        last_seen_at=user.last_seen_at if sight.last_seen else None,
        follower_count=user.follower_count,
        following_count=user.following_count,
        sight=sight,
    )


def _stub(user: UserRecord, sight: Sight) -> Profile:
    """Enough to render what refers to the user."""
    return Profile(
        id=user.id,
        handle="deleted" if user.status is AccountStatus.DELETED else "unavailable",
        display_name="",
        bio="",
        avatar_media_id=None,
        email=None,
        phone=None,
        status=user.status,
        created_at=user.created_at,
        last_seen_at=None,
        follower_count=0,
        following_count=0,
        sight=sight,
    )


class ProfileService:
    """Reads profiles for a viewer, and changes the viewer's own."""

    def __init__(
        self,
        shards: Shards,
        repository: UserRepository,
        identities: Identities,
        changes: IdentityChanges,
    ) -> None:
        self._shards = shards
        self._repository = repository
        self._identities = identities
        self._changes = changes

    async def load_many_profiles(
        self, viewer: Viewer, session: ReadSession, ids: Sequence[EntityId]
    ) -> Mapping[EntityId, Profile]:
        """Batch function of the loader: the profiles of these users as ``viewer`` sees them."""
        seen = await self._repository.load_many_seen(session, ids, viewer_id=viewer.user_id)
        return {user_id: present(user, viewer) for user_id, user in seen.items()}

    async def find_by_handle(self, handle: str) -> EntityId | None:
        """Who goes by a handle, in whatever case it is written. None too when it is no handle at
        all.
        """
        try:
            canonical = values.handle(handle)
        except BadUserInputError:
            return None
        return await self._identities.find("handle", canonical)

    async def list_users(
        self, viewer: Viewer, *, first: int, after: str | None, shard: int | None
    ) -> ScatterPage[Profile]:
        """All users, newest first, over all shards or on one, for administrators.

        Raises:
            ForbiddenError: the viewer lacks the scope ``users:admin``.
            BadUserInputError: no such shard, or a bad cursor.
        """
        viewer.require_scope(Scope.USERS_ADMIN)
        only = None if shard is None else [self._shard(shard)]
        newest = ScatterQuery(
            keyset=_NEWEST,
            key=lambda seen: (seen.user.id.uuid,),
            fetch=partial(self._repository.list_newest, viewer.user_id),
            descending=True,
        )
        page = await scatter(self._shards, newest, first=first, after=after, only=only)
        return page.map(lambda seen: present(seen, viewer))

    async def update(self, viewer: Viewer, change: ProfileChange) -> Profile:
        """Change the viewer's own profile; all of it or nothing.

        Raises:
            IdentityTakenError: the handle belongs to somebody else.
            BadUserInputError: something may not be entered.
        """
        user_id = viewer.require_user()
        change = _canonical(change)
        write = partial(self._write, user_id, change)
        if change.handle is not None:
            after = await self._changes.change(user_id, IdentityKind.HANDLE, change.handle, write)
        else:
            async with self._shards.write(user_id.slot) as session:
                after = await write(session)
        return present_own(after)

    async def _write(
        self, user_id: EntityId, change: ProfileChange, session: WriteSession
    ) -> UserRecord:
        """The change in the user's transaction."""
        before = await self._repository.find_user_locked(session, user_id)
        if before is None:
            raise UserNotFoundError
        if before.status is not AccountStatus.ACTIVE:
            raise AccountInactiveError
        after = replace(
            before,
            handle=_or(change.handle, before.handle),
            display_name=_or(change.display_name, before.display_name),
            bio=_or(change.bio, before.bio),
            avatar_media_id=_avatar(change.avatar, before.avatar_media_id),
        )
        if after != before:
            await self._repository.update_profile(session, after, updated_at=datetime.now(UTC))
            await append(session, _updated(after), actor=user_id)
        return after

    def _shard(self, index: int) -> ShardId:
        ids = self._shards.topology.shard_ids
        if not 0 <= index < len(ids):
            message = f"shard must be between 0 and {len(ids) - 1}."
            raise BadUserInputError(message, field="shard")
        return ids[index]


def _canonical(change: ProfileChange) -> ProfileChange:
    return ProfileChange(
        handle=None if change.handle is None else values.handle(change.handle),
        display_name=(
            None if change.display_name is None else values.display_name(change.display_name)
        ),
        bio=None if change.bio is None else values.bio(change.bio),
        avatar=change.avatar,
    )


def _or(new: str | None, old: str) -> str:
    return old if new is None else new


def _avatar(new: AvatarChange | None, old: str | None) -> str | None:
    if new is None:
        return old
    return None if new.media_id is None else str(new.media_id)


def _updated(user: UserRecord) -> UserUpdated:
    return UserUpdated(
        user_id=str(user.id), handle=user.handle, display_name=user.display_name, bio=user.bio
    )
