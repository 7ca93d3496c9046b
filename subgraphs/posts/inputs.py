"""Inputs of the posts subgraph's mutations."""

import strawberry

from shared.graphql import parse_id, request_uuid
from shared.sharding import EntityId
from subgraphs.posts.service import Draft
from subgraphs.posts.types import PostVisibility

__all__ = ["CreatePostInput"]


@strawberry.input(description="A new post.")
class CreatePostInput:
    """See ``Mutation.createPost``."""

    text: str = strawberry.field(description="1 to 5 000 characters; #hashtags become tags.")
    visibility: PostVisibility = PostVisibility.PUBLIC
    reply_to_id: strawberry.ID | None = None
    quote_of_id: strawberry.ID | None = None
    client_request_id: strawberry.ID | None = strawberry.field(
        default=None, description="A UUID; sending the same one again makes no second post."
    )

    def to_draft(self, *, slots: int) -> Draft:
        """The input as the service takes it."""
        return Draft(
            text=self.text,
            visibility=self.visibility,
            reply_to=_reference(self.reply_to_id, slots, "replyToId"),
            quote_of=_reference(self.quote_of_id, slots, "quoteOfId"),
            client_request_id=request_uuid(self.client_request_id),
        )


def _reference(text: str | None, slots: int, field: str) -> EntityId | None:
    return None if text is None else parse_id(text, slots=slots, field=field)
