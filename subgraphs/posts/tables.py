"""The tables of the posts domain, on every shard. Migrations create them; see migrations/posts."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, Index, Integer, SmallInteger, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.ownership import ownership_table
from shared.db.tables import domain_metadata, sharded_table, utc_timestamp
from shared.events import outbox_table, processed_events_table

__all__ = [
    "PostVisibility",
    "author_counters",
    "metadata",
    "outbox",
    "ownership",
    "posts",
    "processed_events",
]


class PostVisibility(StrEnum):
    """Whom a post is for, as it is stored and as the API shows it."""

    PUBLIC = "PUBLIC"
    FOLLOWERS = "FOLLOWERS"
    CONTACTS = "CONTACTS"


metadata = domain_metadata()

posts = sharded_table(
    "posts",
    metadata,
    # the author's slot is the post's own
    Column("author_id", Uuid, nullable=False),
    Column("text", Text, nullable=False),
    Column("visibility", Text, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("reply_to_slot", SmallInteger),
    Column("reply_to_id", Uuid),
    Column("quote_of_slot", SmallInteger),
    Column("quote_of_id", Uuid),
    Column("client_request_id", Uuid),
    utc_timestamp("created_at"),
    utc_timestamp("edited_at", nullable=True),
    # a tombstone: the row stays, what it said does not
    utc_timestamp("deleted_at", nullable=True),
    CheckConstraint("visibility IN ('PUBLIC', 'FOLLOWERS', 'CONTACTS')", name="visibility"),
    CheckConstraint("(reply_to_slot IS NULL) = (reply_to_id IS NULL)", name="reply_to"),
    CheckConstraint("(quote_of_slot IS NULL) = (quote_of_id IS NULL)", name="quote_of"),
    # newest first: UUIDv7 sorts by creation
    Index("posts_author_id_id_idx", "author_id", "id", postgresql_where=text("deleted_at IS NULL")),
    Index(
        "posts_author_id_client_request_id_idx",
        "author_id",
        "client_request_id",
        unique=True,
        postgresql_where=text("client_request_id IS NOT NULL"),
    ),
)

# id is the author's; there is a row once they have posted
author_counters = sharded_table(
    "author_counters",
    metadata,
    Column("post_count", Integer, nullable=False),
    CheckConstraint("post_count >= 0", name="post_count"),
)

outbox = outbox_table(metadata)
ownership = ownership_table(metadata)
processed_events = processed_events_table(metadata)
