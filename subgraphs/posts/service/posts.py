"""Posts: reading them for a viewer, publishing, editing, deleting, and hearing of new ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from shared.auth import Scope
from shared.events import append
from shared.pagination import KeyPart, Keyset, Page, PageRequest, build_page
from shared.sharding import EntityId
from subgraphs.posts.errors import NotTheAuthorError, PostNotFoundError
from subgraphs.posts.events import PostDeleted, PostPublished, PostUpdated, author_channel
from subgraphs.posts.repository import AuthorPage, PostRecord
from subgraphs.posts.service.audience import is_visible, visible_levels
from subgraphs.posts.service.values import post_text, tags_of
from subgraphs.posts.tables import PostVisibility

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from uuid import UUID

    from shared.auth import Viewer
    from shared.events import LiveFeed, LiveSubscription
    from shared.sharding import ReadSession, Shards, WriteSession
    from subgraphs.posts.repository import PostRepository

__all__ = ["Draft", "PostPage", "PostService"]

PostPage: TypeAlias = Page[PostRecord]

_BY_AUTHOR = Keyset("posts:author", (KeyPart.UUID,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an author wants to publish. The same ``client_request_id`` again is the same post."""

    text: str
    visibility: PostVisibility = PostVisibility.PUBLIC
    reply_to: EntityId | None = None
    quote_of: EntityId | None = None
    client_request_id: UUID | None = None


class PostService:
    """Reads and writes posts on behalf of a viewer."""

    def __init__(self, shards: Shards, repository: PostRepository, live: LiveFeed) -> None:
        self._shards = shards
        self._repository = repository
        self._live = live

    async def load_many_posts(
        self, viewer: Viewer, session: ReadSession, ids: Sequence[EntityId]
    ) -> Mapping[EntityId, PostRecord]:
        """Batch function of a loader: those of these posts that the viewer may see."""
        posts = await self._repository.load_many_posts(session, ids)
        return {post_id: post for post_id, post in posts.items() if is_visible(viewer, post)}

    async def load_many_pages(
        self,
        viewer: Viewer,
        request: PageRequest,
        session: ReadSession,
        author_ids: Sequence[EntityId],
    ) -> Mapping[EntityId, PostPage]:
        """Batch function of a loader: the same page of each author's posts, newest first.

        Only what the viewer may see is read, so pages are full as long as there is more.
        """
        page = AuthorPage(
            limit=request.limit + 1,
            after=_uuid(request.after, "after"),
            before=_uuid(request.before, "before"),
            backward=request.backward,
        )
        levels = {author_id: visible_levels(viewer, author_id) for author_id in author_ids}
        posts = await self._repository.load_many_author_posts(session, levels, page)
        return {
            author_id: build_page(rows, request, lambda post: _BY_AUTHOR.encode((post.id.uuid,)))
            for author_id, rows in posts.items()
        }

    async def load_many_counts(
        self, session: ReadSession, author_ids: Sequence[EntityId]
    ) -> Mapping[EntityId, int]:
        """Batch function of a loader: how many posts these authors have, of whatever kind."""
        return await self._repository.load_many_post_counts(session, author_ids)

    def watch(self, author_id: EntityId) -> AbstractAsyncContextManager[LiveSubscription]:
        """The events of an author's new posts from entering on; a reader checks what it may see."""
        return self._live.subscribe(author_channel(author_id))

    async def create(self, viewer: Viewer, draft: Draft) -> PostRecord:
        """Publish a post: the row, the author's count and the event in one transaction.

        Raises:
            BadUserInputError: the text is empty, too long, or has characters it must not have.
            PostNotFoundError: what it answers or quotes is not there for the viewer.
        """
        author_id = viewer.require_user()
        text = post_text(draft.text)
        if (known := await self._find_repeated(author_id, draft.client_request_id)) is not None:
            return known
        await self._require_visible(viewer, draft.reply_to, "replyToId")
        await self._require_visible(viewer, draft.quote_of, "quoteOfId")
        post = PostRecord(
            id=EntityId.new(author_id.slot),
            author_id=author_id,
            text=text,
            visibility=draft.visibility,
            tags=tags_of(text),
            reply_to=draft.reply_to,
            quote_of=draft.quote_of,
            created_at=datetime.now(UTC),
        )
        async with self._shards.write(author_id.slot) as session:
            if await self._repository.insert_post(
                session, post, client_request_id=draft.client_request_id
            ):
                await append(session, _published(post), actor=author_id)
                return post
        # the same request, sent twice at the same time, was faster the other way
        known = await self._find_repeated(author_id, draft.client_request_id)
        if known is None:
            raise PostNotFoundError("clientRequestId")
        return known

    async def update(self, viewer: Viewer, post_id: EntityId, text: str) -> PostRecord:
        """Change the text of one's own post.

        Raises:
            BadUserInputError: the text may not be a post's.
            PostNotFoundError: there is no such post for the viewer.
            NotTheAuthorError: it is somebody else's.
        """
        user_id = viewer.require_user()
        canonical = post_text(text)
        async with self._shards.write(post_id.slot) as session:
            post = await self._visible_locked(session, viewer, post_id)
            if post.author_id != user_id:
                raise NotTheAuthorError
            if post.text == canonical:
                return post
            edited_at = datetime.now(UTC)
            edited = replace(post, text=canonical, tags=tags_of(canonical), edited_at=edited_at)
            await self._repository.update_text(session, edited)
            event = PostUpdated(
                post_id=str(post_id),
                author_id=str(post.author_id),
                tags=edited.tags,
                edited_at=edited_at,
            )
            await append(session, event, actor=user_id)
        return edited

    async def delete(self, viewer: Viewer, post_id: EntityId) -> None:
        """Delete one's own post, or anybody's with the scope ``posts:moderate``.

        Raises:
            PostNotFoundError: there is no such post for the viewer.
            NotTheAuthorError: it is somebody else's.
        """
        async with self._shards.write(post_id.slot) as session:
            if viewer.has_scope(Scope.POSTS_MODERATE):
                post = await self._repository.find_post_locked(session, post_id)
                if post is None:
                    raise PostNotFoundError
            else:
                viewer.require_user()
                post = await self._visible_locked(session, viewer, post_id)
                if not viewer.is_user(post.author_id):
                    raise NotTheAuthorError
            await self._repository.bury_post(session, post, deleted_at=datetime.now(UTC))
            event = PostDeleted(post_id=str(post_id), author_id=str(post.author_id))
            await append(session, event, actor=viewer.user_id)

    async def _visible_locked(
        self, session: WriteSession, viewer: Viewer, post_id: EntityId
    ) -> PostRecord:
        post = await self._repository.find_post_locked(session, post_id)
        # what one may not see is not there: "forbidden" would tell that it is
        if post is None or not is_visible(viewer, post):
            raise PostNotFoundError
        return post

    async def _require_visible(self, viewer: Viewer, post_id: EntityId | None, field: str) -> None:
        if post_id is None:
            return
        async with self._shards.read(post_id.slot, fresh=True) as session:
            post = await self._repository.find_post(session, post_id)
        if post is None or not is_visible(viewer, post):
            raise PostNotFoundError(field)

    async def _find_repeated(
        self, author_id: EntityId, client_request_id: UUID | None
    ) -> PostRecord | None:
        """The post that this very request made before. ``NOT_FOUND`` when it was deleted since."""
        if client_request_id is None:
            return None
        async with self._shards.read(author_id.slot, fresh=True) as session:
            known = await self._repository.find_by_client_request(
                session, author_id, client_request_id
            )
        if known is None:
            return None
        post, exists = known
        if not exists:
            raise PostNotFoundError("clientRequestId")
        return post


def _uuid(cursor: str | None, field: str) -> UUID | None:
    if cursor is None:
        return None
    (uuid,) = _BY_AUTHOR.decode(cursor, field=field)
    assert not isinstance(uuid, (int, str, datetime))
    return uuid


def _published(post: PostRecord) -> PostPublished:
    return PostPublished(
        post_id=str(post.id),
        author_id=str(post.author_id),
        visibility=post.visibility,
        tags=post.tags,
        reply_to_id=None if post.reply_to is None else str(post.reply_to),
        quote_of_id=None if post.quote_of is None else str(post.quote_of),
        created_at=post.created_at,
    )
