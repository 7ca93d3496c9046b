"""Privacy settings: reading and changing one's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.events import append
from subgraphs.users.errors import UserNotFoundError
from subgraphs.users.events import UserPrivacyChanged

if TYPE_CHECKING:
    from shared.auth import Viewer
    from shared.sharding import EntityId, Shards
    from subgraphs.users.repository import (
        PrivacyRecord,
        PrivacyRepository,
        UserRecord,
        UserRepository,
    )
    from subgraphs.users.tables import Visibility

__all__ = ["PrivacyChange", "PrivacyService", "PrivacySettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """Who may see which part of the viewer's profile, and since when."""

    last_seen: Visibility
    profile_photo: Visibility
    about: Visibility
    read_receipts: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyChange:
    """What to change; None leaves a setting as it is."""

    last_seen: Visibility | None = None
    profile_photo: Visibility | None = None
    about: Visibility | None = None
    read_receipts: bool | None = None


class PrivacyService:
    """The viewer's own privacy settings."""

    def __init__(
        self, shards: Shards, users: UserRepository, repository: PrivacyRepository
    ) -> None:
        self._shards = shards
        self._users = users
        self._repository = repository

    async def get(self, viewer: Viewer) -> PrivacySettings:
        """The settings as they are. Raises ``UserNotFoundError`` when the account is gone."""
        user_id = viewer.require_user()
        async with self._shards.read(user_id.slot) as session:
            user = await self._users.find_user(session, user_id)
        if user is None:
            raise UserNotFoundError
        return _settings(user, user.privacy)

    async def update(self, viewer: Viewer, change: PrivacyChange) -> PrivacySettings:
        """Change settings; what is None in the change stays. The event goes with the change."""
        user_id = viewer.require_user()
        async with self._shards.write(user_id.slot) as session:
            user = await self._users.find_user_locked(session, user_id)
            if user is None:
                raise UserNotFoundError
            after = _changed(user.privacy, change)
            if after != user.privacy:
                after = replace(after, updated_at=datetime.now(UTC))
                await self._repository.update(session, user_id, after)
                await append(session, _event(user_id, after), actor=user_id)
        return _settings(user, after)


def _changed(before: PrivacyRecord, change: PrivacyChange) -> PrivacyRecord:
    return replace(
        before,
        last_seen=change.last_seen or before.last_seen,
        profile_photo=change.profile_photo or before.profile_photo,
        about=change.about or before.about,
        read_receipts=(
            before.read_receipts if change.read_receipts is None else change.read_receipts
        ),
    )


def _settings(user: UserRecord, privacy: PrivacyRecord) -> PrivacySettings:
    return PrivacySettings(
        last_seen=privacy.last_seen,
        profile_photo=privacy.profile_photo,
        about=privacy.about,
        read_receipts=privacy.read_receipts,
        updated_at=privacy.updated_at or user.created_at,
    )


def _event(user_id: EntityId, privacy: PrivacyRecord) -> UserPrivacyChanged:
    return UserPrivacyChanged(
        user_id=str(user_id),
        last_seen=privacy.last_seen,
        profile_photo=privacy.profile_photo,
        about=privacy.about,
        read_receipts=privacy.read_receipts,
    )
