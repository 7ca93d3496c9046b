"""The SQL of privacy settings, which are columns of the table `users`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, update

from subgraphs.users.tables import Visibility, users

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Row

    from shared.sharding import EntityId, WriteSession

__all__ = [
    "DEFAULT_PRIVACY",
    "PRIVACY_COLUMNS",
    "PrivacyRecord",
    "PrivacyRepository",
    "privacy_record",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyRecord:
    """Who may see which part of a user; as it is until the user changes it."""

    last_seen: Visibility = Visibility.EVERYONE
    profile_photo: Visibility = Visibility.EVERYONE
    about: Visibility = Visibility.EVERYONE
    read_receipts: bool = True
    updated_at: datetime | None = None  # None: never changed


DEFAULT_PRIVACY = PrivacyRecord()
"""That of a new user: the columns' defaults."""

PRIVACY_COLUMNS = (
    users.c.last_seen_visibility,
    users.c.profile_photo_visibility,
    users.c.about_visibility,
    users.c.read_receipts,
    users.c.privacy_updated_at,
)

_UPDATE = (
    update(users)
    .where((users.c.slot == bindparam("slot_")) & (users.c.id == bindparam("id_")))
    .values({column.name: bindparam(f"{column.name}_") for column in PRIVACY_COLUMNS})
)


class PrivacyRepository:
    """Writes privacy settings; they are read with the user."""

    async def update(
        self, session: WriteSession, user_id: EntityId, privacy: PrivacyRecord
    ) -> None:
        """Store the settings of a user."""
        await session.execute(
            _UPDATE,
            {
                "slot_": user_id.slot,
                "id_": user_id.uuid,
                "last_seen_visibility_": privacy.last_seen,
                "profile_photo_visibility_": privacy.profile_photo,
                "about_visibility_": privacy.about,
                "read_receipts_": privacy.read_receipts,
                "privacy_updated_at_": privacy.updated_at,
            },
        )


def privacy_record(row: Row[Any]) -> PrivacyRecord:  # Any: the row has PRIVACY_COLUMNS
    """The settings in a row of `users`."""
    return PrivacyRecord(
        last_seen=Visibility(row.last_seen_visibility),
        profile_photo=Visibility(row.profile_photo_visibility),
        about=Visibility(row.about_visibility),
        read_receipts=row.read_receipts,
        updated_at=row.privacy_updated_at,
    )
