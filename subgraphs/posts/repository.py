"""All SQL of the posts domain. Takes sessions, gives records; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    SmallInteger,
    Text,
    Uuid,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from shared.db.by_ids import id_parameters, select_by_ids
from shared.sharding import EntityId, Slot
from subgraphs.posts.tables import PostVisibility, author_counters, posts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Row, Select

    from shared.sharding import ReadSession, Session, WriteSession

__all__ = ["AuthorPage", "PostRecord", "PostRepository"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRecord:
    """A post as stored. Deleted ones are never read."""

    id: EntityId
    author_id: EntityId
    text: str
    visibility: PostVisibility
    tags: tuple[str, ...]
    reply_to: EntityId | None
    quote_of: EntityId | None
    created_at: datetime
    edited_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorPage:
    """Which of an author's posts to read: newest first, or oldest first when ``backward``.

    ``after`` and ``before`` are exclusive, in the order newest first.
    """

    limit: int
    after: UUID | None
    before: UUID | None
    backward: bool


_FIRST_UUID, _LAST_UUID = UUID(int=0), UUID(int=2**128 - 1)

_PRESENT = posts.c.deleted_at.is_(None)
_COLUMNS = (
    posts.c.slot,
    posts.c.id,
    posts.c.author_id,
    posts.c.text,
    posts.c.visibility,
    posts.c.tags,
    posts.c.reply_to_slot,
    posts.c.reply_to_id,
    posts.c.quote_of_slot,
    posts.c.quote_of_id,
    posts.c.created_at,
    posts.c.edited_at,
)
_IS_POST = (posts.c.slot == bindparam("slot_")) & (posts.c.id == bindparam("id_")) & _PRESENT


def _pages_by_author(*, backward: bool) -> Select[Any]:
    """A page of posts for each of many authors in one statement: an index scan per author."""
    authors = (
        func.unnest(
            bindparam("slots", type_=ARRAY(SmallInteger)),
            bindparam("author_ids", type_=ARRAY(Uuid)),
            # whom each author's posts are read for, joined by commas: PostgreSQL cannot unnest
            # an array of arrays one level deep
            bindparam("levels", type_=ARRAY(Text)),
        )
        .table_valued(
            column("slot", SmallInteger),
            column("author_id", Uuid),
            column("levels", Text),
            name="authors",
        )
        .render_derived()
    )
    page = (
        select(*_COLUMNS)
        .where(
            posts.c.author_id == authors.c.author_id,
            posts.c.slot == authors.c.slot,
            _PRESENT,
            posts.c.visibility == func.any(func.string_to_array(authors.c.levels, ",")),
            # bounds that are always there keep the plan the same, and on the index
            posts.c.id < bindparam("after_", type_=Uuid),
            posts.c.id > bindparam("before_", type_=Uuid),
        )
        .order_by(posts.c.id.asc() if backward else posts.c.id.desc())
        .limit(bindparam("limit_"))
        .lateral("page")
    )
    return select(page).select_from(authors.join(page, true()))


_BY_IDS = select_by_ids(posts, *_COLUMNS).where(_PRESENT)
_BY_ID = select(*_COLUMNS).where(_IS_POST)
_BY_ID_LOCKED = _BY_ID.with_for_update()
_NEWEST_BY_AUTHOR = _pages_by_author(backward=False)
_OLDEST_BY_AUTHOR = _pages_by_author(backward=True)
_COUNTS = select_by_ids(
    author_counters, author_counters.c.slot, author_counters.c.id, author_counters.c.post_count
)
_BY_CLIENT_REQUEST = select(*_COLUMNS, posts.c.deleted_at).where(
    posts.c.slot == bindparam("slot_"),
    posts.c.author_id == bindparam("author_id_"),
    posts.c.client_request_id == bindparam("client_request_id_"),
)
_INSERT = insert(posts).on_conflict_do_nothing(
    index_elements=["author_id", "client_request_id"],
    index_where=posts.c.client_request_id.is_not(None),
)
_UPDATE_TEXT = (
    update(posts)
    .where(_IS_POST)
    .values(
        text=bindparam("text_", type_=Text),
        tags=bindparam("tags_", type_=ARRAY(Text)),
        edited_at=bindparam("edited_at_"),
    )
)
_BURY = (
    update(posts)
    .where(_IS_POST)
    .values(text="", tags=literal_column("'{}'::text[]"), deleted_at=bindparam("deleted_at_"))
)
_COUNT_UP = insert(author_counters).on_conflict_do_update(
    index_elements=["slot", "id"], set_={"post_count": author_counters.c.post_count + 1}
)
_COUNT_DOWN = (
    update(author_counters)
    .where(author_counters.c.slot == bindparam("slot_"), author_counters.c.id == bindparam("id_"))
    .values(post_count=author_counters.c.post_count - 1)
)


class PostRepository:
    """Reads and writes posts and their numbers."""

    async def load_many_posts(
        self, session: ReadSession, ids: Sequence[EntityId]
    ) -> dict[EntityId, PostRecord]:
        """The posts with these IDs, which all lie on the session's shard; one statement."""
        records = map(_post, await session.execute(_BY_IDS, id_parameters(ids)))
        return {record.id: record for record in records}

    async def load_many_author_posts(
        self,
        session: ReadSession,
        levels: Mapping[EntityId, Collection[PostVisibility]],
        page: AuthorPage,
    ) -> dict[EntityId, list[PostRecord]]:
        """One page of each of these authors' posts, of the levels given for each; one statement."""
        rows = await session.execute(
            _OLDEST_BY_AUTHOR if page.backward else _NEWEST_BY_AUTHOR,
            {
                "slots": [author.slot for author in levels],
                "author_ids": [author.uuid for author in levels],
                "levels": [",".join(sorted(allowed)) for allowed in levels.values()],
                "after_": page.after or _LAST_UUID,
                "before_": page.before or _FIRST_UUID,
                "limit_": page.limit,
            },
        )
        found: dict[EntityId, list[PostRecord]] = {author: [] for author in levels}
        for post in map(_post, rows):
            found[post.author_id].append(post)
        for listed in found.values():
            # a join promises no order
            listed.sort(key=lambda post: post.id.uuid, reverse=not page.backward)
        return found

    async def load_many_post_counts(
        self, session: ReadSession, author_ids: Sequence[EntityId]
    ) -> dict[EntityId, int]:
        """How many posts these authors have; who never had any is left out. One statement."""
        rows = await session.execute(_COUNTS, id_parameters(author_ids))
        return {EntityId(Slot(row.slot), row.id): row.post_count for row in rows}

    async def find_post(self, session: Session, post_id: EntityId) -> PostRecord | None:
        """One post."""
        row = (await session.execute(_BY_ID, _key(post_id))).one_or_none()
        return None if row is None else _post(row)

    async def find_post_locked(self, session: WriteSession, post_id: EntityId) -> PostRecord | None:
        """One post, whose row stays as it is until the transaction ends."""
        row = (await session.execute(_BY_ID_LOCKED, _key(post_id))).one_or_none()
        return None if row is None else _post(row)

    async def find_by_client_request(
        self, session: Session, author_id: EntityId, client_request_id: UUID
    ) -> tuple[PostRecord, bool] | None:
        """The post that a request of this author made, and whether it still exists."""
        row = (
            await session.execute(
                _BY_CLIENT_REQUEST,
                {
                    "slot_": author_id.slot,
                    "author_id_": author_id.uuid,
                    "client_request_id_": client_request_id,
                },
            )
        ).one_or_none()
        return None if row is None else (_post(row), row.deleted_at is None)

    async def insert_post(
        self, session: WriteSession, post: PostRecord, *, client_request_id: UUID | None
    ) -> bool:
        """Insert a post and count it; False when this request has made one before."""
        inserted = await session.execute(
            _INSERT,
            {
                "slot": post.id.slot,
                "id": post.id.uuid,
                "author_id": post.author_id.uuid,
                "text": post.text,
                "visibility": post.visibility,
                "tags": list(post.tags),
                "reply_to_slot": post.reply_to.slot if post.reply_to else None,
                "reply_to_id": post.reply_to.uuid if post.reply_to else None,
                "quote_of_slot": post.quote_of.slot if post.quote_of else None,
                "quote_of_id": post.quote_of.uuid if post.quote_of else None,
                "client_request_id": client_request_id,
                "created_at": post.created_at,
            },
        )
        if inserted.rowcount != 1:
            return False
        author = post.author_id
        await session.execute(_COUNT_UP, {"slot": author.slot, "id": author.uuid, "post_count": 1})
        return True

    async def update_text(self, session: WriteSession, post: PostRecord) -> None:
        """Store text, tags and time of editing of a post."""
        await session.execute(
            _UPDATE_TEXT,
            {
                **_key(post.id),
                "text_": post.text,
                "tags_": list(post.tags),
                "edited_at_": post.edited_at,
            },
        )

    async def bury_post(
        self, session: WriteSession, post: PostRecord, *, deleted_at: datetime
    ) -> None:
        """Make a tombstone of a post and count it no more."""
        await session.execute(_BURY, {**_key(post.id), "deleted_at_": deleted_at})
        await session.execute(_COUNT_DOWN, _key(post.author_id))


def _key(entity_id: EntityId) -> dict[str, object]:
    return {"slot_": entity_id.slot, "id_": entity_id.uuid}


def _post(row: Row[Any]) -> PostRecord:  # Any: the columns are those of _COLUMNS
    slot = Slot(row.slot)
    return PostRecord(
        id=EntityId(slot, row.id),
        author_id=EntityId(slot, row.author_id),
        text=row.text,
        visibility=PostVisibility(row.visibility),
        tags=tuple(row.tags),
        reply_to=_reference(row.reply_to_slot, row.reply_to_id),
        quote_of=_reference(row.quote_of_slot, row.quote_of_id),
        created_at=row.created_at,
        edited_at=row.edited_at,
    )


def _reference(slot: int | None, uuid: UUID | None) -> EntityId | None:
    return None if slot is None or uuid is None else EntityId(Slot(slot), uuid)
