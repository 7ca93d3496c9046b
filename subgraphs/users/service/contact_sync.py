"""Finding those in a user's address book who are here, by their phone numbers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shared.errors import BadUserInputError
from shared.sharding import ShardedLoader
from subgraphs.users.service import values
from subgraphs.users.service.contacts import contact_of, new_contact
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.auth import Viewer
    from shared.limits import RateLimit, RateLimiter
    from shared.sharding import EntityId, Identities, Shards
    from subgraphs.users.repository import ContactRepository, SeenUser, UserRepository
    from subgraphs.users.service.contacts import Contact

__all__ = ["MAX_PHONES", "ContactSyncService"]

MAX_PHONES = 500
"""How many numbers one synchronisation may have."""


class ContactSyncService:
    """Adds contacts by phone number."""

    def __init__(
        self,
        shards: Shards,
        users: UserRepository,
        contacts: ContactRepository,
        identities: Identities,
        *,
        limiter: RateLimiter,
        limit: RateLimit | None,
    ) -> None:
        self._shards = shards
        self._users = users
        self._contacts = contacts
        self._identities = identities
        self._limiter = limiter
        self._limit = limit

    async def sync(self, viewer: Viewer, phones: Sequence[str]) -> list[Contact]:
        """Add those of the owners of these numbers who are here, in the order of the numbers.

        Numbers that nobody has, and those of people who have blocked the viewer or are not to be
        found, are left out, and nothing tells one from the other. All are looked up, or nothing is
        added.

        Raises:
            BadUserInputError: too many, or one that is no phone number (with its ``index``).
            RateLimitedError: too often; the address book is not for trying all numbers.
            ShardError: a shard could not be read; nothing was added.
        """
        owner = viewer.require_user()
        numbers = _canonical(phones)
        await self._limiter.hit(self._limit, str(owner))
        found = [
            seen
            for seen in await self._find_by_phone(owner, numbers)
            if seen.user.id != owner
            and seen.user.status is AccountStatus.ACTIVE
            and not seen.regard.blocks
        ]
        if not found:
            return []
        ids = [seen.user.id for seen in found]
        async with self._shards.write(owner.slot) as session:
            new = [new_contact(owner, other, None) for other in ids]
            await self._contacts.put_many(session, new)
            records = await self._contacts.find_many(session, owner, ids)
        # one may be gone again: another request has removed it between the two statements
        return [
            contact_of(seen, records[seen.user.id], viewer)
            for seen in found
            if seen.user.id in records
        ]

    async def _find_by_phone(self, owner: EntityId, numbers: Sequence[str]) -> list[SeenUser]:
        """Who has these numbers, in their order: one statement per shard for the numbers, and one
        for the users.
        """
        candidates = await self._identities.find_candidates("phone", numbers)
        loader = ShardedLoader(self._shards, partial(self._users.load_many_seen, viewer_id=owner))
        wanted = [(number, candidates[number]) for number in numbers if number in candidates]
        users = await loader.load_many([user_id for _, user_id in wanted])
        # whose a number is, is said by the user's row, whatever its reservation says
        return [
            seen
            for (number, _), seen in zip(wanted, users, strict=True)
            if seen is not None and seen.user.phone == number
        ]


def _canonical(phones: Sequence[str]) -> list[str]:
    """The numbers in E.164, each once, in the order of their first mention."""
    if len(phones) > MAX_PHONES:
        raise BadUserInputError(f"At most {MAX_PHONES} numbers at a time.", field="phones")
    numbers: dict[str, None] = {}
    for index, text in enumerate(phones):
        try:
            numbers[values.phone(text, field="phones")] = None
        except BadUserInputError as error:
            error.extensions["index"] = index
            raise
    return list(numbers)
