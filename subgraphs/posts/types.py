"""GraphQL types of the posts subgraph, and how references to posts and authors are resolved."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

import strawberry

from shared.graphql import Connection, documented_field, load_items
from shared.pagination import page_request
from shared.sharding import EntityId
from subgraphs.posts.context import PostsContext, PostsInfo
from subgraphs.posts.repository import PostRecord
from subgraphs.posts.tables import PostVisibility

__all__ = ["Post", "PostConnection", "PostVisibility", "User", "load_post"]

strawberry.enum(PostVisibility, description="Whom a post is for.")


@strawberry.federation.type(keys=["id"], description="What somebody has published.")
class Post:
    """A post that the viewer may see."""

    record: strawberry.Private[PostRecord]
    id: strawberry.ID
    text: str
    visibility: PostVisibility
    tags: list[str] = strawberry.field(description="The #hashtags in the text, in lower case.")
    created_at: datetime
    edited_at: datetime | None

    @documented_field
    def author(self) -> "User":
        """Who wrote it."""
        return User.of(self.record.author_id)

    @documented_field
    async def reply_to(self, info: PostsInfo) -> "Post | None":
        """What it answers; null too when that is gone or not for the viewer."""
        return await load_post(info.context, self.record.reply_to)

    @documented_field
    async def quote_of(self, info: PostsInfo) -> "Post | None":
        """What it quotes; null too when that is gone or not for the viewer."""
        return await load_post(info.context, self.record.quote_of)

    @classmethod
    def of(cls, record: PostRecord) -> Self:
        """The type of a record that the viewer may see."""
        return cls(
            record=record,
            id=strawberry.ID(str(record.id)),
            text=record.text,
            visibility=record.visibility,
            tags=list(record.tags),
            created_at=record.created_at,
            edited_at=record.edited_at,
        )

    @classmethod
    async def resolve_references(
        cls, info: PostsInfo, ids: list[EntityId]
    ) -> Sequence[Self | Exception | None]:
        """The posts of entity references, one batch."""
        return await load_items(info.context.loaders.post_by_id, ids, cls.of)


PostConnection = Connection[Post]


@strawberry.federation.type(keys=["id"])
class User:
    """An author, known here by the ID alone."""

    author_id: strawberry.Private[EntityId]
    id: strawberry.ID

    @documented_field
    async def posts(
        self,
        info: PostsInfo,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
    ) -> PostConnection:
        """What they have posted, newest first, as far as the viewer may see it."""
        request = page_request(first=first, after=after, last=last, before=before)
        page = await info.context.loaders.page_by_author(request).load(self.author_id)
        assert page is not None, "the loader answers for every author"
        return PostConnection.of(page, Post.of)

    @documented_field
    async def post_count(self, info: PostsInfo) -> int:
        """How many posts they have, whoever these are for."""
        return await info.context.loaders.count_by_author.load(self.author_id) or 0

    @classmethod
    def of(cls, author_id: EntityId) -> Self:
        """The author with this ID; whether there is such a user is the users subgraph's matter."""
        return cls(author_id=author_id, id=strawberry.ID(str(author_id)))

    @classmethod
    async def resolve_references(cls, info: PostsInfo, ids: list[EntityId]) -> Sequence[Self]:
        """The authors of entity references; nothing is read."""
        return [cls.of(author_id) for author_id in ids]


async def load_post(context: PostsContext, post_id: EntityId | None) -> Post | None:
    """The post, or None when there is none for the viewer."""
    record = None if post_id is None else await context.loaders.post_by_id.load(post_id)
    return None if record is None else Post.of(record)
