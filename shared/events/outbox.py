"""The transactional outbox: an event is a row, inserted in the transaction of the change that it
tells of.

So there is no event without its change and no change without its event. The relay reads the rows,
in ``recorded_at`` order (the shard's own clock at the insert: a transaction that waits for another
one's row lock records its event after it). A trigger of the migration wakes the relay with NOTIFY
at commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    DateTime,
    Index,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
    insert,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.tables import domain_metadata, sharded_table, utc_timestamp
from shared.events.event import Event

if TYPE_CHECKING:
    from shared.events.event import EventPayload
    from shared.sharding import EntityId, WriteSession

__all__ = ["CHANNEL", "append", "outbox_table"]

CHANNEL = "outbox"
"""The NOTIFY channel of the trigger."""


def outbox_table(metadata: MetaData) -> Table:
    """Define the outbox among a domain's tables (its migration creates it, with the trigger)."""
    return sharded_table(
        "outbox",
        metadata,
        Column("key", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("version", SmallInteger, nullable=False),
        utc_timestamp("occurred_at"),
        Column("actor", Text),
        Column("payload", JSONB, nullable=False),
        Column(
            "recorded_at",
            DateTime(timezone=True),
            nullable=False,
            server_default=func.clock_timestamp(),
        ),
        utc_timestamp("published_at", nullable=True),
        Index(
            "outbox_unpublished_idx",
            "recorded_at",
            "id",
            postgresql_where=text("published_at IS NULL"),
        ),
        Index(
            "outbox_published_idx",
            "published_at",
            postgresql_where=text("published_at IS NOT NULL"),
        ),
    )


_OUTBOX = outbox_table(domain_metadata())
# recorded_at is the server's to set
_INSERT = insert(_OUTBOX)


async def append(session: WriteSession, payload: EventPayload, *, actor: EntityId | None) -> Event:
    """Write an event in the session's transaction, and return it.

    Append after the change itself, so that the row locks of the change put events of one entity in
    order. ``actor`` is who caused it, None for the system.
    """
    event = Event.of(payload, slot=session.slot, actor=actor)
    await session.execute(
        _INSERT,
        {
            "slot": event.slot,
            "id": event.id,
            "key": payload.entity_id(),
            "type": event.type,
            "version": event.version,
            "occurred_at": event.occurred_at,
            "actor": event.actor,
            "payload": event.payload,
        },
    )
    return event
