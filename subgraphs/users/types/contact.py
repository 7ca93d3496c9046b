"""The type Contact."""

from datetime import datetime
from typing import Self

import strawberry

from shared.graphql import Connection
from subgraphs.users.service import Contact as Entry
from subgraphs.users.types.user import User

__all__ = ["Contact", "ContactConnection"]


@strawberry.type(description="Somebody in one's address book.")
class Contact:
    """A contact of the viewer."""

    user: User
    nickname: str | None = strawberry.field(description="What one calls them; only for oneself.")
    added_at: datetime

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """The type of an entry of the address book."""
        return cls(user=User.of(entry.profile), nickname=entry.nickname, added_at=entry.added_at)


ContactConnection = Connection[Contact]
