"""What the posts domain tells the others, and the live channels. Schemas: schema/events/.

Events name posts and do not quote them: who may read a post is decided when it is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import AwareDatetime
from typing_extensions import override

from shared.events import EventPayload
from subgraphs.posts.tables import PostVisibility

if TYPE_CHECKING:
    from shared.events import Event
    from shared.sharding import EntityId

__all__ = ["EVENTS", "PostDeleted", "PostPublished", "PostUpdated", "author_channel", "channels_of"]


class PostPublished(EventPayload):
    """Somebody has published a post."""

    event_type: ClassVar[str] = "post.published"

    post_id: str
    author_id: str
    visibility: PostVisibility
    tags: tuple[str, ...]
    reply_to_id: str | None
    quote_of_id: str | None
    created_at: AwareDatetime

    @override
    def entity_id(self) -> str:
        return self.post_id


class PostUpdated(EventPayload):
    """The author has changed the text of a post."""

    event_type: ClassVar[str] = "post.updated"

    post_id: str
    author_id: str
    tags: tuple[str, ...]
    edited_at: AwareDatetime

    @override
    def entity_id(self) -> str:
        return self.post_id


class PostDeleted(EventPayload):
    """A post is gone, by its author's hand or a moderator's (the event's actor says whose)."""

    event_type: ClassVar[str] = "post.deleted"

    post_id: str
    author_id: str

    @override
    def entity_id(self) -> str:
        return self.post_id


EVENTS: tuple[type[EventPayload], ...] = (PostPublished, PostUpdated, PostDeleted)
"""Every event of the domain."""


def author_channel(author_id: EntityId | str) -> str:
    """The live channel of an author's new posts."""
    return f"live:posts:author:{author_id}"


def channels_of(event: Event) -> tuple[str, ...]:
    """The live channels that an event concerns."""
    published = PostPublished.read(event)
    return () if published is None else (author_channel(published.author_id),)
