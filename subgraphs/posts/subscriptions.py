"""Subscriptions of the posts subgraph."""

from collections.abc import AsyncIterator

import strawberry

from shared.events import Event
from shared.graphql import EventStream, documented_subscription, parse_id
from subgraphs.posts.context import PostsInfo
from subgraphs.posts.events import PostPublished
from subgraphs.posts.types import Post, load_post

__all__ = ["Subscription"]


@strawberry.type
class Subscription:
    """What can be listened to in the posts domain."""

    @documented_subscription
    async def post_published(
        self, info: PostsInfo, author_id: strawberry.ID
    ) -> AsyncIterator[Post]:
        """New posts of an author, from now on, as far as the viewer may see them."""
        context = info.context
        _ = context.viewer
        posts = context.services.posts
        author = parse_id(author_id, slots=context.slots, field="authorId")

        async def read(event: Event) -> Post | None:
            payload = PostPublished.model_validate(event.payload)
            return await load_post(context, parse_id(payload.post_id, slots=context.slots))

        return await EventStream.open(posts.watch(author), read, context)
