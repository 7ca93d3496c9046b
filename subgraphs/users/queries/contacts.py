"""Asking for one's own contacts and blocks."""

import strawberry

from shared.graphql import documented_field
from shared.pagination import page_request
from subgraphs.users.context import UsersInfo
from subgraphs.users.service import Contact as Entry
from subgraphs.users.types import Contact, ContactConnection, User, UserConnection, load_listed

__all__ = ["ContactQueries"]


@strawberry.type
class ContactQueries:
    """A part of ``Query``."""

    @documented_field
    async def contacts(
        self,
        info: UsersInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> ContactConnection:
        """One's own address book, newest first. A page may be shorter than asked for: deactivated
        accounts are left out.
        """
        context = info.context
        viewer = context.viewer
        request = page_request(first=first, after=after, last=last, before=before)
        page = await context.services.contacts.list_contacts(viewer, request)
        pairs = []
        for cursor, row, profile in await load_listed(info, page, lambda row: row.contact):
            entry = Entry(profile=profile, nickname=row.nickname, added_at=row.created_at)
            pairs.append((cursor, Contact.of(entry)))
        return ContactConnection.of_part(page, pairs)

    @documented_field
    async def blocked_users(
        self,
        info: UsersInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> UserConnection:
        """Whom one has blocked, newest first. A page may be shorter than asked for: deactivated
        accounts are left out.
        """
        context = info.context
        viewer = context.viewer
        request = page_request(first=first, after=after, last=last, before=before)
        page = await context.services.blocks.list_blocked(viewer, request)
        listed = await load_listed(info, page, lambda row: row.other)
        pairs = [(cursor, User.of(profile)) for cursor, _, profile in listed]
        return UserConnection.of_part(page, pairs)
