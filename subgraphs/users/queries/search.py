"""Searching users."""

import strawberry

from shared.graphql import documented_field
from shared.pagination import page_request
from subgraphs.users.context import UsersInfo
from subgraphs.users.types import User, UserConnection

__all__ = ["SearchQueries"]


@strawberry.type
class SearchQueries:
    """A part of ``Query``."""

    @documented_field
    async def search_users(
        self, info: UsersInfo, query: str, first: int | None = None, after: str | None = None
    ) -> UserConnection:
        """Users whose handle begins with the query, or whose name has words that begin with its
        words, whatever the case and accents: best matches first, then who is followed most.
        """
        context = info.context
        page = await context.services.search.search(
            context.viewer, query, first=page_request(first=first).limit, after=after
        )
        context.report_all(page.failures.values(), info.path.as_list())
        return UserConnection.of(page, User.of)
