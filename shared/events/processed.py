"""Effects that happen once, though events are delivered at least once.

A consumer's effect and a ``processed_events`` row that names the event commit together, in the
domain and slot where the effect happens. A second delivery finds the row and does nothing; one at
the same time waits for the first one's end, and then finds it too, or takes its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import (
    Boolean,
    Column,
    Index,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    literal_column,
)
from sqlalchemy.dialects.postgresql import insert

from shared.db.tables import domain_metadata, utc_timestamp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.sql.dml import ReturningInsert

    from shared.events.event import Event
    from shared.sharding import Shards, Slot, WriteSession

__all__ = ["Effect", "once", "processed_events_table"]

Effect: TypeAlias = "Callable[[WriteSession], Awaitable[object]]"
"""What a consumer does, in one transaction. What it returns is ignored."""


def processed_events_table(metadata: MetaData) -> Table:
    """Define the table among a domain's tables (its migration creates it).

    The relay of the domain prunes it by ``processed_at``.
    """
    return Table(
        "processed_events",
        metadata,
        Column("slot", SmallInteger, nullable=False, autoincrement=False),
        Column("consumer", Text, nullable=False),
        Column("event_id", Uuid, nullable=False),
        utc_timestamp("processed_at", default_now=True),
        PrimaryKeyConstraint("slot", "consumer", "event_id"),
        Index("processed_events_processed_at_idx", "processed_at"),
    )


_PROCESSED = processed_events_table(domain_metadata())
_insert = insert(_PROCESSED)
# A repeated delivery renews the row: while an event still comes again it is not forgotten.
_CLAIM: ReturningInsert[tuple[bool]] = _insert.on_conflict_do_update(
    index_elements=list(_PROCESSED.primary_key), set_={"processed_at": func.now()}
).returning(literal_column("old.event_id IS NULL", Boolean))


async def once(shards: Shards, slot: Slot, *, consumer: str, event: Event, effect: Effect) -> bool:
    """Run ``effect`` in a transaction in ``slot``, unless this consumer has done so for this event.

    The transaction also remembers that it is done, so both are kept or neither. False: it was done
    before. An event may have an effect in several slots: each is done once.

    Args:
        shards: of the domain whose rows the effect changes, which may be the event's own.
        slot: where these rows are.
        consumer: a name that is the consumer's own in that domain, and never changes.
        event: what has happened.
        effect: does the work with the session that it is given, and commits nothing itself.

    Raises:
        ShardError: the shard could not do it now; nothing has happened.
        Exception: whatever the effect raises; nothing has happened.
    """
    async with shards.write(slot) as session:
        claim = {"slot": slot, "consumer": consumer, "event_id": event.id}
        is_new: bool = (await session.execute(_CLAIM, claim)).scalar_one()
        if is_new:
            await effect(session)
    return is_new
