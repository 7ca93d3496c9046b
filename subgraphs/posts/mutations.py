"""Mutations of the posts subgraph. Thin: the rules are in the service."""

import strawberry

from shared.graphql import documented_mutation, parse_id
from subgraphs.posts.context import PostsInfo
from subgraphs.posts.inputs import CreatePostInput
from subgraphs.posts.types import Post

__all__ = ["Mutation"]


@strawberry.type
class Mutation:
    """What can be done in the posts domain."""

    @documented_mutation
    async def create_post(self, info: PostsInfo, input: CreatePostInput) -> Post:
        """Publish a post."""
        context = info.context
        viewer, posts = context.viewer, context.services.posts
        record = await posts.create(viewer, input.to_draft(slots=context.slots))
        context.forget_loaded()
        return Post.of(record)

    @documented_mutation
    async def update_post(self, info: PostsInfo, id: strawberry.ID, text: str) -> Post:
        """Change the text of one's own post."""
        context = info.context
        viewer, posts = context.viewer, context.services.posts
        record = await posts.update(viewer, parse_id(id, slots=context.slots), text)
        context.forget_loaded()
        return Post.of(record)

    @documented_mutation
    async def delete_post(self, info: PostsInfo, id: strawberry.ID) -> bool:
        """Delete one's own post, or anybody's with the scope posts:moderate."""
        context = info.context
        viewer, posts = context.viewer, context.services.posts
        await posts.delete(viewer, parse_id(id, slots=context.slots))
        context.forget_loaded()
        return True
