"""Contacts: a user's address book.

A contact is one row on its owner's slot and tells the other one nothing; what it changes is what
*they* may see (``visibility``): whom one has as contact sees one's phone number.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.errors import BadUserInputError
from shared.pagination import KeyPart, Keyset, build_page
from shared.sharding import EntityId
from subgraphs.users.errors import UserBlockedError, UserNotFoundError
from subgraphs.users.repository import ContactRecord
from subgraphs.users.service import values
from subgraphs.users.service.key_ranges import key_range
from subgraphs.users.service.profiles import Profile, present
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from shared.auth import Viewer
    from shared.pagination import Page, PageRequest
    from shared.sharding import Shards
    from subgraphs.users.repository import ContactRepository, SeenUser, UserRepository

__all__ = ["Contact", "ContactService", "contact_of", "new_contact"]

_CONTACTS = Keyset("users:contacts", (KeyPart.UUID,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Somebody in the viewer's address book."""

    profile: Profile
    nickname: str | None
    added_at: datetime


class ContactService:
    """The viewer's own contacts."""

    def __init__(
        self,
        shards: Shards,
        users: UserRepository,
        repository: ContactRepository,
    ) -> None:
        self._shards = shards
        self._users = users
        self._repository = repository

    async def add(self, viewer: Viewer, other: EntityId, nickname: str | None) -> Contact:
        """Add a user to the address book. Again, it changes the nickname: None leaves it, an empty
        one takes it away.

        Raises:
            BadUserInputError: oneself, or a nickname that may not be.
            UserNotFoundError: there is no such user to be found.
            UserBlockedError: they have blocked the viewer.
        """
        owner = viewer.require_user()
        if owner == other:
            raise BadUserInputError("You cannot be a contact of yourself.", field="userId")
        name = None if nickname is None else values.nickname(nickname)
        async with self._shards.read(other.slot, fresh=True) as session:
            seen = await self._users.find_seen(session, other, viewer_id=owner)
        if seen is None or seen.user.status is not AccountStatus.ACTIVE:
            raise UserNotFoundError
        if seen.regard.blocks:
            raise UserBlockedError
        new = new_contact(owner, other, name or None)
        async with self._shards.write(owner.slot) as session:
            record = await self._repository.put(session, new, keeps_nickname=name is None)
        return contact_of(seen, record, viewer)

    async def remove(self, viewer: Viewer, other: EntityId) -> bool:
        """Take a user out of the address book; False when they were not in it."""
        owner = viewer.require_user()
        async with self._shards.write(owner.slot) as session:
            return await self._repository.remove(session, owner, other)

    async def list_contacts(self, viewer: Viewer, request: PageRequest) -> Page[ContactRecord]:
        """A page of the address book, newest first."""
        owner = viewer.require_user()
        part = key_range(_CONTACTS, request)
        async with self._shards.read(owner.slot) as session:
            rows = await self._repository.list_contacts(session, owner, part)
        return build_page(rows, request, lambda row: _CONTACTS.encode((row.id,)))


def new_contact(owner: EntityId, other: EntityId, nickname: str | None) -> ContactRecord:
    """A row to be written now."""
    return ContactRecord(
        id=EntityId.new(owner.slot).uuid,
        owner=owner,
        contact=other,
        nickname=nickname,
        created_at=datetime.now(UTC),
    )


def contact_of(seen: SeenUser, record: ContactRecord, viewer: Viewer) -> Contact:
    """A row with its user, as the viewer sees them."""
    return Contact(
        profile=present(seen, viewer), nickname=record.nickname, added_at=record.created_at
    )
