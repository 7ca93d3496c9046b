"""Changing one's own address book."""

import strawberry

from shared.graphql import documented_mutation, parse_id
from subgraphs.users.context import UsersInfo
from subgraphs.users.types import Contact

__all__ = ["ContactMutations"]


@strawberry.type
class ContactMutations:
    """A part of ``Mutation``."""

    @documented_mutation
    async def add_contact(
        self, info: UsersInfo, user_id: strawberry.ID, nickname: str | None = None
    ) -> Contact:
        """Add a user to one's address book, or change the nickname of one in it: null leaves it as
        it is, an empty one takes it away. They see one's phone number then.

        USER_BLOCKED when they have blocked the caller.
        """
        context = info.context
        viewer = context.viewer
        other = parse_id(user_id, slots=context.slots, field="userId")
        contact = await context.services.contacts.add(viewer, other, nickname)
        context.forget_loaded()
        return Contact.of(contact)

    @documented_mutation
    async def remove_contact(self, info: UsersInfo, user_id: strawberry.ID) -> bool:
        """Take a user out of one's address book; false when they were not in it."""
        context = info.context
        viewer = context.viewer
        other = parse_id(user_id, slots=context.slots, field="userId")
        removed = await context.services.contacts.remove(viewer, other)
        context.forget_loaded()
        return removed

    @documented_mutation
    async def sync_contacts(self, info: UsersInfo, phones: list[str]) -> list[Contact]:
        """Add those who have these phone numbers to one's address book, at most 500 at a time, in
        the order given.

        Numbers that lead to nobody are left out. RATE_LIMITED when done too often.
        """
        context = info.context
        contacts = await context.services.contact_sync.sync(context.viewer, phones)
        context.forget_loaded()
        return [Contact.of(contact) for contact in contacts]
