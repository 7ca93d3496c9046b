"""Root queries of the posts subgraph. Thin: read arguments, ask loaders, wrap."""

from typing import cast

import strawberry

from shared.graphql import documented_field, load_items, parse_id, parse_ids
from subgraphs.posts.context import PostsInfo
from subgraphs.posts.types import Post, load_post

__all__ = ["Query"]


@strawberry.type
class Query:
    """What can be asked of the posts domain."""

    @documented_field
    async def post(self, info: PostsInfo, id: strawberry.ID) -> Post | None:
        """One post; null when there is none with this ID for the viewer."""
        context = info.context
        _ = context.viewer
        return await load_post(context, parse_id(id, slots=context.slots))

    @documented_field
    async def posts(self, info: PostsInfo, ids: list[strawberry.ID]) -> list[Post | None]:
        """Up to 100 posts in the order asked; null where there is none for the viewer, or where the
        part of the data that has it is unavailable.
        """
        loader = info.context.loaders.post_by_id  # needs a viewer
        wanted = parse_ids(ids, slots=info.context.slots)
        # where an item could not be read stands an exception, which the executor makes an error
        return cast("list[Post | None]", await load_items(loader, wanted, Post.of))
